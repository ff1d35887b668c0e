"""What dlq's user may do on a server that has users (ACLs): exactly what dlq does.

    >>> rule = dlq_acl("shop")
    >>> rule.split(" +")[0]
    '~shop:django_lightweight_queue:* ~shop:dlq:* resetchannels -@all'

A client with this user can put jobs on every queue below its prefix, and read what is there: failed
jobs with their arguments, too. It can neither see other keys nor reconfigure or empty the server.
"""

from __future__ import annotations

from dlq.backends.redis_storage.keys import Keys, pattern

KEY_COMMANDS = (
    *("exists", "expire", "get", "persist", "pexpire", "pttl", "rename", "set", "unlink", "del"),
    *("blmove", "brpop", "lindex", "llen", "lpop", "lpush", "lrange", "lrem", "ltrim"),
    *("rpop", "rpush"),
    *("hdel", "hget", "hgetall", "hincrby", "hscan", "hset"),
    *("zadd", "zcard", "zcount", "zrange", "zrangebyscore", "zrem"),
    *("xadd", "xdel", "xlen", "xinfo|stream", "xrange", "xrevrange"),
    *("eval", "evalsha"),
)
"""Commands on the keys that the rule names, and on no others."""

OTHER_COMMANDS = (
    *("multi", "exec", "ping", "scan", "script|load", "select", "time"),
    # The server's name for status. INFO says nothing about keys but how many there are.
    "info",
    # A worker that is to stop ends its own blocking command; the connections of 4.11's workers are
    # looked for before lists without a record are taken over.
    *("client|id", "client|list", "client|setname", "client|unblock"),
)


def dlq_acl(prefix: str) -> str:
    """Return the rule for `ACL SETUSER dlq on >password RULE`, with REDIS_PREFIX as `prefix`."""
    keys = Keys(prefix)
    patterns = (f"~{pattern(keys.old_root)}*", f"~{pattern(keys.root)}*")
    commands = (f"+{name}" for name in (*KEY_COMMANDS, *OTHER_COMMANDS))
    return " ".join((*patterns, "resetchannels", "-@all", *commands))

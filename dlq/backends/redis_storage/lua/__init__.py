"""What the server does in one step: one .lua file for each script.

    worker/   the loop of a worker: take, acknowledge, fail, give back
    fleet/    worker numbers, heartbeats, lists that a dead worker left
    queue/    what is done with a queue from outside: enqueue, retry failed jobs, deduplicate
    shared/   local functions that several scripts use

To add a script:

1. Write `ROOM/NAME.lua`. Its first line is the shebang with its flags; then comments say what the
   script does and which KEYS and ARGV it takes. Each key that it touches is one of KEYS: it must
   also run on a server of a cluster.
2. Where it needs a shared function, name it on a line `--@include NAME NAME …` below the shebang:
   the text of `shared/NAME.lua` is put there.
3. Give it a name in `scripts.py`: `NAME = Script("ROOM/NAME")`.
4. Run it: `transport.client.run_script` on an ordinary client, `Channel.run` in a worker,
   `Producer.run` where a job is stored.

`flags=allow-oom` is on each script that takes work off the server or keeps track of it: a full
server must drain. It needs Redis 7.0 or any Valkey. Within a script nothing else happens on the
server, and a script that was refused (NOSCRIPT, OOM, READONLY) has done nothing. A script that
fails in its middle is not rolled back: do last what must not be lost.
"""

"""What the server does in one step for a worker's loop; `fleet_scripts` has the rest. Each script
says what its keys and arguments are.

`allow-oom` is on each script that takes work off the server or keeps track of it: a full server
must drain. It needs Redis 7.0 or any Valkey. Within a script nothing else happens on the server,
and a script that was refused (NOSCRIPT, OOM, READONLY) has done nothing.

A worker's list (`processing`) holds, from its tail on, the job that it runs and those that it took
ahead; the worker lets go of them in that order. So letting go of a job is a pop from the tail, and
only by way of exception a search.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple


class Script(NamedTuple):
    text: str

    @property
    def sha(self) -> str:
        """The server's name for it."""
        return hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()


ALLOW_OOM = "#!lua flags=allow-oom\n"

_LET_GO = """
local function release(processing, raw)
  local last = redis.call('RPOP', processing)
  if last == raw then return 1 end
  if last then redis.call('RPUSH', processing, last) end
  return redis.call('LREM', processing, -1, raw)
end
"""

_NOW = """
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
"""

_HAND_OUT = """
-- What is in the list, the next one first, and whether the queue keeps counts of anything.
local function next_job(kind, processing, attempts, crashes)
  local list = redis.call('LRANGE', processing, 0, -1)
  local jobs = {}
  for index = #list, 1, -1 do jobs[#jobs + 1] = list[index] end
  return {kind, redis.call('EXISTS', attempts, crashes), jobs}
end
"""

_GIVE_BACK = """
-- From the head, so that what is at the tail comes out next.
local function give_back(processing, queue, keep, most)
  local count = 0
  while count < most and redis.call('LLEN', processing) > keep do
    redis.call('RPUSH', queue, redis.call('LINDEX', processing, 0))
    redis.call('LPOP', processing)
    count = count + 1
  end
  return count
end
"""

_KEEP_FAILED = """
local function keep_failed(failed, keep, first)
  if tonumber(keep) > 0 then
    return redis.pcall('XADD', failed, 'MAXLEN', keep, '*', unpack(ARGV, first))
  end
end
"""

_REFUSED = """
-- What is done stays done when a later command of a script is refused (the user lacks a permission
-- for it, or its key holds something else): what was popped must then be put back.
local function refused(answer) return type(answer) == 'table' and answer.err ~= nil end
"""

TAKE = Script(
    ALLOW_OOM
    + _LET_GO
    + _NOW
    + _HAND_OUT
    + _REFUSED
    + """
-- Acknowledge the last job, check the owner and the pause, take the next jobs.
-- KEYS: queue, pause, processing, owners, delayed, attempts, crashes
-- ARGV: number, own record, how many at most, and the bytes to acknowledge where there are any
if redis.call('HGET', KEYS[4], ARGV[1]) ~= ARGV[2] then return {'owner'} end
if ARGV[4] then release(KEYS[3], ARGV[4]) end
-- Each call from a script costs a microsecond: mostly, nothing of this is there.
local is_plain = redis.call('EXISTS', KEYS[2], KEYS[5], KEYS[6], KEYS[7]) == 0
if not is_plain then
  local paused = redis.call('PTTL', KEYS[2])
  if paused ~= -2 then return {'paused', paused} end
end
-- In hand already: left by another process, or by ourselves when a connection broke.
if redis.call('EXISTS', KEYS[3]) == 1 then return next_job('held', KEYS[3], KEYS[6], KEYS[7]) end
local due_in = -1
if not is_plain and redis.call('EXISTS', KEYS[5]) == 1 then
  local at = now()
  local due = redis.call('ZRANGEBYSCORE', KEYS[5], '-inf', at, 'LIMIT', 0, 100)
  -- The one that has been due for longest is pushed last: it is the next.
  for index = #due, 1, -1 do
    redis.call('RPUSH', KEYS[1], string.sub(due[index], 18))
    redis.call('ZREM', KEYS[5], due[index])
  end
  local first = redis.call('ZRANGE', KEYS[5], 0, 0, 'WITHSCORES')
  if first[2] then due_in = math.max(1, first[2] - at) end
end
local many = tonumber(ARGV[3])
-- At most half of what is there, so that all workers share the end of a backlog.
if many > 1 then many = math.min(many, math.floor(redis.call('LLEN', KEYS[1]) / 2) + 1) end
local jobs = redis.call('RPOP', KEYS[1], many)
if not jobs then return {'empty', due_in} end
local pushed = redis.pcall('LPUSH', KEYS[3], unpack(jobs))
if refused(pushed) then
  for index = #jobs, 1, -1 do redis.call('RPUSH', KEYS[1], jobs[index]) end
  return pushed
end
return {'job', is_plain and 0 or redis.call('EXISTS', KEYS[6], KEYS[7]), jobs}
"""
)

ARRIVED = Script(
    ALLOW_OOM
    + _HAND_OUT
    + _NOW
    + _GIVE_BACK
    + """
-- What is in our list, after we waited for something to come there: may we have it?
-- KEYS and ARGV as for TAKE
local owner = redis.call('HGET', KEYS[4], ARGV[1])
-- In a list that is another's now it stays: the other finds it there, or has it in hand already.
if owner and owner ~= ARGV[2] then return {'owner'} end
local paused = redis.call('PTTL', KEYS[2])
if owner and paused == -2 then
  if redis.call('EXISTS', KEYS[3]) == 1 then return next_job('job', KEYS[3], KEYS[6], KEYS[7]) end
  local first = redis.call('ZRANGE', KEYS[5], 0, 0, 'WITHSCORES')
  return {'empty', first[2] and math.max(1, first[2] - now()) or -1}
end
give_back(KEYS[3], KEYS[1], 0, 100)
if not owner then return {'owner'} end
return {'paused', paused}
"""
)

ACKNOWLEDGE = Script(
    ALLOW_OOM
    + _LET_GO
    + """
-- A job has ended well, and the next is in the worker's hand already.
-- KEYS: processing, owners. ARGV: number, own record, bytes
if redis.call('HGET', KEYS[2], ARGV[1]) ~= ARGV[2] then return -1 end
return release(KEYS[1], ARGV[3])
"""
)

FINISH = Script(
    ALLOW_OOM
    + _LET_GO
    + """
-- The same for a job of which something may have been counted.
-- KEYS: processing, owners, attempts, crashes. ARGV: number, own record, bytes
if redis.call('HGET', KEYS[2], ARGV[1]) ~= ARGV[2] then return -1 end
local name = redis.sha1hex(ARGV[3])
redis.call('HDEL', KEYS[3], name)
redis.call('HDEL', KEYS[4], name)
return release(KEYS[1], ARGV[3])
"""
)

LOOK = Script(
    """#!lua flags=no-writes
-- What is in our list, from its head on. KEYS: processing, owners. ARGV: number, own record
if redis.call('HGET', KEYS[2], ARGV[1]) ~= ARGV[2] then return {'owner'} end
return {'list', redis.call('LRANGE', KEYS[1], 0, -1)}
"""
)

TAKE_ONCE = Script(
    ALLOW_OOM
    + """
-- At most once: whoever pops it has it. KEYS: queue, pause
local paused = redis.call('PTTL', KEYS[2])
if paused ~= -2 then return {'paused', paused} end
local raw = redis.call('RPOP', KEYS[1])
if raw then return {'job', raw} end
return {'empty'}
"""
)

ARRIVED_ONCE = Script(
    ALLOW_OOM
    + """
-- KEYS: queue, pause. ARGV: the job that a worker has, 'again' where it may have asked before
local paused = redis.call('PTTL', KEYS[2])
if ARGV[2] and redis.call('LINDEX', KEYS[1], -1) == ARGV[1] then return {'paused', paused} end
if paused == -2 then return {'job', ARGV[1]} end
redis.call('RPUSH', KEYS[1], ARGV[1])
return {'paused', paused}
"""
)

FAIL = Script(
    ALLOW_OOM
    + _LET_GO
    + _KEEP_FAILED
    + _REFUSED
    + """
-- Let go of a job and keep it as a failed one.
-- KEYS: processing, owners, failed, crashes, attempts
-- ARGV: number, own record, bytes, how many to keep, then the fields of the failed job
if redis.call('HGET', KEYS[2], ARGV[1]) ~= ARGV[2] then return {'owner'} end
local name = redis.sha1hex(ARGV[3])
redis.call('HDEL', KEYS[4], name)
redis.call('HDEL', KEYS[5], name)
-- Sent again after a lost answer, it must not fail twice.
if release(KEYS[1], ARGV[3]) == 0 then return {'done'} end
local kept = keep_failed(KEYS[3], ARGV[4], 5)
if refused(kept) then
  redis.call('RPUSH', KEYS[1], ARGV[3])
  return kept
end
return {'done'}
"""
)

FAIL_ONCE = Script(
    ALLOW_OOM
    + _KEEP_FAILED
    + _REFUSED
    + """
-- KEYS: failed. ARGV: how many to keep, then the fields
local kept = keep_failed(KEYS[1], ARGV[1], 2)
return refused(kept) and kept or {'done'}
"""
)

RETRY_LATER = Script(
    ALLOW_OOM
    + _LET_GO
    + _NOW
    + _REFUSED
    + """
-- KEYS: processing, owners, delayed, attempts, crashes
-- ARGV: number, own record, bytes, delay in ms, unique prefix, seconds to keep the count for
if redis.call('HGET', KEYS[2], ARGV[1]) ~= ARGV[2] then return {'owner'} end
local name = redis.sha1hex(ARGV[3])
redis.call('HDEL', KEYS[5], name)
if release(KEYS[1], ARGV[3]) == 0 then return {'done'} end
local delayed = redis.pcall('ZADD', KEYS[3], now() + ARGV[4], ARGV[5] .. ARGV[3])
if refused(delayed) then
  redis.call('RPUSH', KEYS[1], ARGV[3])
  return delayed
end
redis.call('HINCRBY', KEYS[4], name, 1)
redis.call('EXPIRE', KEYS[4], ARGV[6])
return {'done'}
"""
)

GIVE_BACK = Script(
    ALLOW_OOM
    + _GIVE_BACK
    + """
-- Not run, or not to its end: next again, with all that was taken after it.
-- KEYS: processing, owners, queue
-- ARGV: number, own record, how many of the oldest stay in the list, how many to move at most
if redis.call('HGET', KEYS[2], ARGV[1]) ~= ARGV[2] then return {'owner'} end
return {'done', give_back(KEYS[1], KEYS[3], tonumber(ARGV[3]), tonumber(ARGV[4]))}
"""
)

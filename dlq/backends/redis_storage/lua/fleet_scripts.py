"""What the server does in one step for everybody but a worker's loop: owners of numbers, lists that
dead ones left, cron's marks, failed jobs. As in `scripts`, each says what its keys and arguments
are.
"""

from __future__ import annotations

from dlq.backends.redis_storage.lua.worker_scripts import ALLOW_OOM, Script

CLAIM = Script(
    ALLOW_OOM
    + """
-- Take a worker number over from the owner that was asked for before, if it still has it.
-- KEYS: owners, alive. ARGV: number, own record, the old record or '', the runner, ms to live
local owner = redis.call('HGET', KEYS[1], ARGV[1]) or ''
if owner ~= ARGV[3] then return {'owner', owner} end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
-- A claim without a sign of life would be anybody's. The heartbeat process renews it.
redis.call('SET', KEYS[2], ARGV[4], 'PX', ARGV[5], 'NX')
return {'done'}
"""
)

SET_FOR_A_WHILE = Script(
    ALLOW_OOM
    + """
-- For what must be said to a full server, too. KEYS: the key. ARGV: its value, its life (ms)
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return {'done'}
"""
)

RELEASE = Script(
    ALLOW_OOM
    + """
-- KEYS: owners. ARGV: number, own record
if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then redis.call('HDEL', KEYS[1], ARGV[1]) end
return {'done'}
"""
)

RECLAIM = Script(
    ALLOW_OOM
    + """
-- Give the jobs of an owner that is gone back to their queue, in their order.
-- KEYS: owners, processing, queue, crashes, failed, alive
-- ARGV: number, the owner's record or '', jobs at most, MAX_CRASHES, seconds to keep the count for,
--       how many failed jobs to keep, then the fields of a failed job but for its bytes
local owner = redis.call('HGET', KEYS[1], ARGV[1]) or ''
if owner ~= ARGV[2] or redis.call('EXISTS', KEYS[6]) == 1 then return {'owner', 0, 0} end
local left = redis.call('LLEN', KEYS[2])
local moved, failed = 0, 0
-- From the head, so that what is at the tail comes out next. Bounded: the rest is for another call.
while left > 0 and moved < tonumber(ARGV[3]) do
  -- It leaves its list last of all: whatever is refused before that has lost nothing.
  local raw = redis.call('LINDEX', KEYS[2], 0)
  left = left - 1
  local crashes = 0
  if left == 0 and owner ~= '' then
    -- The one that it was running, perhaps: a job that takes whole machines down ends here too.
    local name = redis.sha1hex(raw)
    crashes = redis.call('HINCRBY', KEYS[4], name, 1)
    redis.call('EXPIRE', KEYS[4], ARGV[5])
    if crashes >= tonumber(ARGV[4]) then redis.call('HDEL', KEYS[4], name) end
  end
  if crashes > 0 and crashes >= tonumber(ARGV[4]) then
    if tonumber(ARGV[6]) > 0 then
      redis.call('XADD', KEYS[5], 'MAXLEN', ARGV[6], '*', 'raw', raw, unpack(ARGV, 7))
    end
    failed = failed + 1
  else
    redis.call('RPUSH', KEYS[3], raw)
  end
  redis.call('LPOP', KEYS[2])
  moved = moved + 1
end
if left == 0 then redis.call('HDEL', KEYS[1], ARGV[1]) end
return {'done', moved, failed}
"""
)

LENGTHS = Script(
    """#!lua flags=no-writes
-- The lists of a queue's workers that hold anything: number, length, number, length …
-- KEYS: their key without the number. ARGV: the highest number. A look costs a third of a
-- microsecond each; to find the keys by pattern is to read through all keys of the server.
local found = {}
for number = 1, tonumber(ARGV[1]) do
  local length = redis.call('LLEN', KEYS[1] .. number)
  if length > 0 then
    found[#found + 1] = number
    found[#found + 1] = length
  end
end
return found
"""
)

ENQUEUE_ONCE = Script(
    """#!lua
-- The mark and the push in one step; a full server refuses both.
-- KEYS: mark, queue. ARGV: bytes, ms to keep the mark for
-- The push comes first: a script that fails is not rolled back, and a mark without its job would
-- be a run that is never made.
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('LPUSH', KEYS[2], ARGV[1])
redis.call('SET', KEYS[1], '1', 'PX', ARGV[2])
return 1
"""
)

RETRY_FAILED = Script(
    ALLOW_OOM
    + """
-- KEYS: failed, queue, crashes, attempts. ARGV: ids
local count = 0
for _, id in ipairs(ARGV) do
  local found = redis.call('XRANGE', KEYS[1], id, id)[1]
  if found then
    local fields = found[2]
    for place = 1, #fields, 2 do
      if fields[place] == 'raw' then
        local name = redis.sha1hex(fields[place + 1])
        redis.call('HDEL', KEYS[3], name)
        redis.call('HDEL', KEYS[4], name)
        redis.call('LPUSH', KEYS[2], fields[place + 1])
      end
    end
    redis.call('XDEL', KEYS[1], id)
    count = count + 1
  end
end
return count
"""
)

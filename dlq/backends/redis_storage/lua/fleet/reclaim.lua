#!lua flags=allow-oom
--@include count_up
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
    crashes = count_up(KEYS[4], name, ARGV[5])
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
if left == 0 then redis.call('HDEL', KEYS[1], ARGV[1], ARGV[1] .. ':take') end
return {'done', moved, failed}

#!lua flags=allow-oom
--@include release now is_refused count_up
-- Release a job and keep it for a later attempt.
-- KEYS: processing, owners, delayed, attempts, crashes
-- ARGV: number, own record, bytes, delay in ms, unique prefix, seconds to keep the count for
if redis.call('HGET', KEYS[2], ARGV[1]) ~= ARGV[2] then return {'owner'} end
local name = redis.sha1hex(ARGV[3])
redis.call('HDEL', KEYS[5], name)
if release(KEYS[1], ARGV[3]) == 0 then return {'done'} end
local delayed = redis.pcall('ZADD', KEYS[3], now() + ARGV[4], ARGV[5] .. ARGV[3])
if is_refused(delayed) then
  redis.call('RPUSH', KEYS[1], ARGV[3])
  return delayed
end
count_up(KEYS[4], name, ARGV[6])
return {'done'}

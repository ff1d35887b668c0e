#!lua flags=allow-oom
--@include release keep_failed is_refused
-- Release a job and keep it as a failed one.
-- KEYS: processing, owners, failed, crashes, attempts
-- ARGV: number, own record, bytes, how many to keep, then the fields of the failed job
if redis.call('HGET', KEYS[2], ARGV[1]) ~= ARGV[2] then return {'owner'} end
local name = redis.sha1hex(ARGV[3])
redis.call('HDEL', KEYS[4], name)
redis.call('HDEL', KEYS[5], name)
-- Sent again after a lost answer, it must not fail twice.
if release(KEYS[1], ARGV[3]) == 0 then return {'done'} end
local kept = keep_failed(KEYS[3], ARGV[4], 5)
if is_refused(kept) then
  redis.call('RPUSH', KEYS[1], ARGV[3])
  return kept
end
return {'done'}

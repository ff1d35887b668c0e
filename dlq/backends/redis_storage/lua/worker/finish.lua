#!lua flags=allow-oom
--@include release
-- As acknowledge, for a job of which something may have been counted.
-- KEYS: processing, owners, attempts, crashes. ARGV: number, own record, bytes
if redis.call('HGET', KEYS[2], ARGV[1]) ~= ARGV[2] then return -1 end
local name = redis.sha1hex(ARGV[3])
redis.call('HDEL', KEYS[3], name)
redis.call('HDEL', KEYS[4], name)
return release(KEYS[1], ARGV[3])

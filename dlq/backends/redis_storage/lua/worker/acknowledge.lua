#!lua flags=allow-oom
--@include release
-- A job has ended well, and the next is in the worker's hand already.
-- KEYS: processing, owners. ARGV: number, own record, bytes
if redis.call('HGET', KEYS[2], ARGV[1]) ~= ARGV[2] then return -1 end
return release(KEYS[1], ARGV[3])

#!lua
-- Set the idempotency key and push in one step; a full server refuses both.
-- KEYS: idempotency key, queue. ARGV: bytes, ms to keep the mark for
-- The push comes first: a script that fails is not rolled back, and a key without its
-- job would be a run that is never made.
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('LPUSH', KEYS[2], ARGV[1])
redis.call('SET', KEYS[1], '1', 'PX', ARGV[2])
return 1

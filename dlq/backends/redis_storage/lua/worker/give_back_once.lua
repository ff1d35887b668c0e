#!lua flags=allow-oom
-- Put a popped job back, once, however often this is sent.
-- KEYS: queue, put back. ARGV: the job, ms to remember that it was put back
if redis.call('EXISTS', KEYS[2]) == 1 then return {'done'} end
redis.call('RPUSH', KEYS[1], ARGV[1])
redis.call('SET', KEYS[2], '1', 'PX', ARGV[2])
return {'done'}

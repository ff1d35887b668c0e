#!lua flags=allow-oom
-- KEYS: queue, pause. ARGV: the job that a worker has, 'again' where it may have asked before
local paused = redis.call('PTTL', KEYS[2])
if ARGV[2] and redis.call('LINDEX', KEYS[1], -1) == ARGV[1] then return {'paused', paused} end
if paused == -2 then return {'job', ARGV[1]} end
redis.call('RPUSH', KEYS[1], ARGV[1])
return {'paused', paused}

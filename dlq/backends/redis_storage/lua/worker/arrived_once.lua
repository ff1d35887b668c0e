#!lua flags=allow-oom
-- A job was popped: may it be run now? While the queue is paused it is put back, once, however often
-- this is asked. KEYS: queue, pause, put back. ARGV: the job, ms to remember that it was put back
if redis.call('EXISTS', KEYS[3]) == 1 then return {'empty'} end
local paused = redis.call('PTTL', KEYS[2])
if paused == -2 then return {'job', ARGV[1]} end
redis.call('RPUSH', KEYS[1], ARGV[1])
redis.call('SET', KEYS[3], '1', 'PX', ARGV[2])
return {'paused', paused}

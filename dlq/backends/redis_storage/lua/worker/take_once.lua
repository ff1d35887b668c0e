#!lua flags=allow-oom
-- At most once: whoever pops it has it. KEYS: queue, pause
local paused = redis.call('PTTL', KEYS[2])
if paused ~= -2 then return {'paused', paused} end
local raw = redis.call('RPOP', KEYS[1])
if raw then return {'job', raw} end
return {'empty'}

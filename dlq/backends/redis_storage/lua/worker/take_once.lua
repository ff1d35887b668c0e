#!lua flags=allow-oom
-- At most once: whoever pops it has it. KEYS: queue, pause, delayed
local paused = redis.call('PTTL', KEYS[2])
if paused ~= -2 then return {'paused', paused} end
if redis.call('EXISTS', KEYS[3]) == 1 then
  local time = redis.call('TIME')
  local at = time[1] * 1000 + math.floor(time[2] / 1000)
  -- Jobs that are due share with those that wait: neither kind keeps the other from being run.
  local most = (time[2] % 2 == 0 or redis.call('EXISTS', KEYS[1]) == 0) and 1 or 0
  local due = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', at, 'LIMIT', 0, most)
  if due[1] then
    redis.call('ZREM', KEYS[3], due[1])
    return {'job', string.sub(due[1], 18)}
  end
end
local raw = redis.call('RPOP', KEYS[1])
if raw then return {'job', raw} end
return {'empty'}

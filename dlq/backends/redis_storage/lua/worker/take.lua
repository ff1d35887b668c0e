#!lua flags=allow-oom
--@include release now next_job is_refused
-- Acknowledge the last job, check the owner and the pause, take the next jobs.
-- KEYS: queue, pause, processing, owners, delayed, attempts, crashes
-- ARGV: number, own record, how many at most, and the bytes to acknowledge where there are any
if redis.call('HGET', KEYS[4], ARGV[1]) ~= ARGV[2] then return {'owner'} end
if ARGV[4] then release(KEYS[3], ARGV[4]) end
-- Each call from a script costs a microsecond: mostly, nothing of this is there.
local is_plain = redis.call('EXISTS', KEYS[2], KEYS[5], KEYS[6], KEYS[7]) == 0
if not is_plain then
  local paused = redis.call('PTTL', KEYS[2])
  if paused ~= -2 then return {'paused', paused} end
end
-- In hand already: left by another process, or by ourselves when a connection broke.
if redis.call('EXISTS', KEYS[3]) == 1 then return next_job('in_hand', KEYS[3], KEYS[6], KEYS[7]) end
local due_in = -1
if not is_plain and redis.call('EXISTS', KEYS[5]) == 1 then
  local at = now()
  local due = redis.call('ZRANGEBYSCORE', KEYS[5], '-inf', at, 'LIMIT', 0, 100)
  -- The one that has been due for longest is pushed last: it is the next.
  for index = #due, 1, -1 do
    redis.call('RPUSH', KEYS[1], string.sub(due[index], 18))
    redis.call('ZREM', KEYS[5], due[index])
  end
  local first = redis.call('ZRANGE', KEYS[5], 0, 0, 'WITHSCORES')
  if first[2] then due_in = math.max(1, first[2] - at) end
end
local many = tonumber(ARGV[3])
-- At most half of what is there, so that all workers share the end of a backlog.
if many > 1 then many = math.min(many, math.floor(redis.call('LLEN', KEYS[1]) / 2) + 1) end
local jobs = redis.call('RPOP', KEYS[1], many)
if not jobs then return {'empty', due_in} end
local pushed = redis.pcall('LPUSH', KEYS[3], unpack(jobs))
if refused(pushed) then
  for index = #jobs, 1, -1 do redis.call('RPUSH', KEYS[1], jobs[index]) end
  return pushed
end
return {'job', is_plain and 0 or redis.call('EXISTS', KEYS[6], KEYS[7]), jobs}

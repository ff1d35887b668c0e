#!lua flags=allow-oom
--@include release now next_job is_refused
-- Acknowledge the last job, check the owner and the pause, take the next jobs.
-- KEYS: queue, pause, processing, owners, delayed, attempts, crashes
-- ARGV: number, own record, how many bytes at most, how many jobs at most, a number for this call,
--       and where there is a job to acknowledge: its bytes, and '1' if it may have been counted
if redis.call('HGET', KEYS[4], ARGV[1]) ~= ARGV[2] then return {'owner'} end
local ended = ARGV[6]
if ended then
  if ARGV[7] then
    local name = redis.sha1hex(ended)
    redis.call('HDEL', KEYS[6], name)
    redis.call('HDEL', KEYS[7], name)
  end
  release(KEYS[3], ended)
end
-- After a broken connection the worker finds out by its list whether this call was run: then the
-- bytes that it acknowledged are not there, and others are. Where that is not so, it is written down.
local function note(what)
  redis.call('HSET', KEYS[4], ARGV[1] .. ':take', ARGV[5] .. what)
end
-- In hand already: left by another process, or by ourselves when a connection broke.
local in_hand = redis.call('EXISTS', KEYS[3]) == 1
if in_hand and ended then note(':kept') end
-- Each call from a script costs a microsecond: mostly, nothing of this is there.
local is_plain = redis.call('EXISTS', KEYS[2], KEYS[5], KEYS[6], KEYS[7]) == 0
if not is_plain then
  local paused = redis.call('PTTL', KEYS[2])
  if paused ~= -2 then return {'paused', paused} end
end
if in_hand then return next_job('in_hand', KEYS[3], KEYS[6], KEYS[7]) end
local many = tonumber(ARGV[4])
local due_in = -1
if not is_plain and redis.call('EXISTS', KEYS[5]) == 1 then
  local at, microseconds = now()
  local waiting = redis.call('LLEN', KEYS[1])
  -- All workers share the end of a backlog, as below.
  many = math.min(many, math.floor((waiting + redis.call('ZCOUNT', KEYS[5], '-inf', at)) / 2) + 1)
  -- Of jobs that are due, no more are moved than are taken, or the next ones would overtake them.
  -- They share with the jobs that wait: neither kind keeps the other from being run.
  local most = many
  if waiting > 0 then most = math.floor((many + microseconds % 2) / 2) end
  local due = redis.call('ZRANGEBYSCORE', KEYS[5], '-inf', at, 'LIMIT', 0, most)
  -- The one that has been due for longest is pushed last: it is the next.
  for index = #due, 1, -1 do
    redis.call('RPUSH', KEYS[1], string.sub(due[index], 18))
    redis.call('ZREM', KEYS[5], due[index])
  end
  local first = redis.call('ZRANGE', KEYS[5], 0, 0, 'WITHSCORES')
  if first[2] then due_in = math.max(1, first[2] - at) end
elseif many > 1 then
  -- At most half of what is there, so that all workers share the end of a backlog.
  many = math.min(many, math.floor(redis.call('LLEN', KEYS[1]) / 2) + 1)
end
local jobs = redis.call('RPOP', KEYS[1], many)
if not jobs then return {'empty', due_in} end
-- What is beyond the bytes goes back: memory is the worker's limit, too.
local bytes, count = #jobs[1], 1
while count < #jobs and bytes + #jobs[count + 1] <= tonumber(ARGV[3]) do
  count = count + 1
  bytes = bytes + #jobs[count]
end
for index = #jobs, count + 1, -1 do
  redis.call('RPUSH', KEYS[1], jobs[index])
  jobs[index] = nil
end
local pushed = redis.pcall('LPUSH', KEYS[3], unpack(jobs))
if is_refused(pushed) then
  for index = #jobs, 1, -1 do redis.call('RPUSH', KEYS[1], jobs[index]) end
  return pushed
end
for index = 1, ended and #jobs or 0 do
  if jobs[index] == ended then
    note(':taken')
    break
  end
end
return {'job', is_plain and 0 or redis.call('EXISTS', KEYS[6], KEYS[7]), jobs}

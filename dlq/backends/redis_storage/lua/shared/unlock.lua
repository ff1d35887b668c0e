-- Release the lock of a job, unless another job has it by now.
local function unlock(locks, raw)
  local job = redis.sha1hex(raw)
  local name = redis.call('HGET', locks, job)
  if not name then return 0 end
  redis.call('HDEL', locks, job)
  local lock = redis.call('HGET', locks, name)
  if lock and string.sub(lock, -40) == job then redis.call('HDEL', locks, name) end
  return 1
end

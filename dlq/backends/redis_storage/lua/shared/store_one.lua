-- Store one job, unless another one has its lock. Returns the lock of the other one, else nothing.
-- A lock is the field of its name: 'expiry:due:id:job' (ms, ms, the id of a result if there is one,
-- SHA-1); the field of the job's SHA-1 leads back to it.
local function store_one(mode, at, due, prefix, raw, lasts, name, id)
  if lasts > 0 then
    local lock = redis.call('HGET', KEYS[3], name)
    if lock and tonumber(string.match(lock, '^%d+')) > at then return lock end
  end
  -- The job comes first: a lock without its job would keep the next ones away.
  if due > 0 then
    redis.call('ZADD', KEYS[2], due, prefix .. ':' .. raw)
  else
    redis.call(mode == 'front' and 'RPUSH' or 'LPUSH', KEYS[1], raw)
  end
  if lasts > 0 then
    local job = redis.sha1hex(raw)
    local lock = string.format('%.0f:%.0f:%s:%s', at + lasts, due, id, job)
    redis.call('HSET', KEYS[3], name, lock, job, name)
    if redis.call('PTTL', KEYS[3]) < lasts then redis.call('PEXPIRE', KEYS[3], lasts) end
  end
end

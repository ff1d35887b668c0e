local function release(processing, raw)
  local last = redis.call('RPOP', processing)
  if last == raw then return 1 end
  if last then redis.call('RPUSH', processing, last) end
  return redis.call('LREM', processing, -1, raw)
end

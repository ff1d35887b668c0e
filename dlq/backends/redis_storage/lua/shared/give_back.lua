-- From the head, so that what is at the tail comes out next.
local function give_back(processing, queue, keep, most)
  local count = 0
  while count < most and redis.call('LLEN', processing) > keep do
    redis.call('RPUSH', queue, redis.call('LINDEX', processing, 0))
    redis.call('LPOP', processing)
    count = count + 1
  end
  return count
end

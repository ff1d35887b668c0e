-- One more in a hash of counts, which is kept for so many seconds. What is not a number there, or
-- too large for one more, was written by another program: it counts as nothing.
local function count_up(hash, name, seconds)
  local count = redis.pcall('HINCRBY', hash, name, 1)
  if type(count) ~= 'number' or count < 1 then
    redis.call('HSET', hash, name, 1)
    count = 1
  end
  redis.call('EXPIRE', hash, seconds)
  return count
end

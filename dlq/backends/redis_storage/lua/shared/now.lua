-- Milliseconds, and the microseconds of this second.
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000), tonumber(time[2])
end

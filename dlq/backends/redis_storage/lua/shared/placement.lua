-- When a job is due (ms, 0 for now), the time (ms), and the microseconds since the epoch.
local function placement(mode, milliseconds)
  local time = redis.call('TIME')
  local at = time[1] * 1000 + math.floor(time[2] / 1000)
  local due = 0
  if mode == 'in' then due = at + milliseconds elseif mode == 'at' then due = tonumber(milliseconds) end
  return due, at, time[1] * 1000000 + time[2]
end

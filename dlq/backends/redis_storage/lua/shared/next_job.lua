-- What is in the list, the next one first, and whether the queue keeps counts of anything.
local function next_job(kind, processing, attempts, crashes)
  local list = redis.call('LRANGE', processing, 0, -1)
  local jobs = {}
  for index = #list, 1, -1 do jobs[#jobs + 1] = list[index] end
  return {kind, redis.call('EXISTS', attempts, crashes), jobs}
end

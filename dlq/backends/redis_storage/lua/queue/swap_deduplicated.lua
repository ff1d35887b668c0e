#!lua flags=allow-oom
-- Put the copy without doubles in the queue's place, if the queue is still the one copied but for
-- what was taken from its tail and pushed at its head.
-- KEYS: queue, survivors, trash
-- ARGV: length of the snapshot, its newest job, how many were taken when we last looked (c),
--       how many new ones to carry over at most, how many anchors there are, for each of them its
--       place from the newest on (which is 1) and the job there, then for each of the next places
--       from c on: the job there, and how many survivors are older
local first = 6 + 2 * ARGV[5]
local function is_snapshot(rest, new)
  if new < 0 or redis.call('LINDEX', KEYS[1], -rest) ~= ARGV[2] then return false end
  for anchor = 6, first - 2, 2 do
    local back = tonumber(ARGV[anchor])
    if back <= rest and redis.call('LINDEX', KEYS[1], new + back - 1) ~= ARGV[anchor + 1] then
      return false
    end
  end
  return true
end
local length = redis.call('LLEN', KEYS[1])
local tail = redis.call('LINDEX', KEYS[1], -1)
if not tail then return {'gone'} end
for place = first, #ARGV, 2 do
  if ARGV[place] == tail then
    local taken = ARGV[3] + (place - first) / 2
    local rest = ARGV[1] - taken
    local new = length - rest
    if is_snapshot(rest, new) then
      if new > tonumber(ARGV[4]) then return {'new', new} end
      if new > 0 then
        local jobs = redis.call('LRANGE', KEYS[1], 0, new - 1)
        for index = #jobs, 1, -1 do redis.call('LPUSH', KEYS[2], jobs[index]) end
      end
      local older = tonumber(ARGV[place + 1])
      if older > 0 then redis.call('LTRIM', KEYS[2], 0, -older - 1) end
      redis.call('RENAME', KEYS[1], KEYS[3])
      if redis.call('EXISTS', KEYS[2]) == 1 then
        redis.call('RENAME', KEYS[2], KEYS[1])
        redis.call('PERSIST', KEYS[1])
      end
      redis.call('UNLINK', KEYS[3])
      return {'done', redis.call('LLEN', KEYS[1])}
    end
  end
end
return {'moved'}

#!lua flags=allow-oom
--@include now next_job give_back
-- What is in our list, after we waited for something to come there, if it may be run now.
-- KEYS as for take. ARGV: number, own record
local owner = redis.call('HGET', KEYS[4], ARGV[1])
-- In a list that another process owns now it stays: that process finds it there.
if owner and owner ~= ARGV[2] then return {'owner'} end
local paused = redis.call('PTTL', KEYS[2])
if owner and paused == -2 then
  if redis.call('EXISTS', KEYS[3]) == 1 then return next_job('job', KEYS[3], KEYS[6], KEYS[7]) end
  local first = redis.call('ZRANGE', KEYS[5], 0, 0, 'WITHSCORES')
  return {'empty', first[2] and math.max(1, first[2] - now()) or -1}
end
give_back(KEYS[3], KEYS[1], 0, 100)
if not owner then return {'owner'} end
return {'paused', paused}

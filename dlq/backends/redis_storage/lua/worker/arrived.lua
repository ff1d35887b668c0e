#!lua flags=allow-oom
--@include now next_job give_back
-- What is in our list, after we waited for something to come there: may we have it?
-- KEYS and ARGV as for TAKE
local owner = redis.call('HGET', KEYS[4], ARGV[1])
-- In a list that is another's now it stays: the other finds it there, or has it in hand already.
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

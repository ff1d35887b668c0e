#!lua flags=no-writes
-- The lists of a queue's workers that hold anything: number, length, number, length …
-- KEYS: their key without the number. ARGV: the highest number. Each takes a third of a microsecond;
-- to find the keys by pattern is to read through all keys of the server.
-- The one script whose keys are not all declared, because they are a thousand: they differ in their
-- end only, and so are on one node of a cluster, as all keys with one {tag} are.
local found = {}
for number = 1, tonumber(ARGV[1]) do
  local length = redis.call('LLEN', KEYS[1] .. number)
  if length > 0 then
    found[#found + 1] = number
    found[#found + 1] = length
  end
end
return found

#!lua flags=no-writes
-- How many entries have left each stream of failed jobs by itself. Answers with two numbers for
-- each, since the reply to XINFO has twenty parts: those added less those there (-1 where the server
-- does not count, or there is no stream), and those that somebody removed.
-- KEYS: the hash of removed entries, the streams.
local found = {}
for index = 2, #KEYS do
  local facts, gone = redis.pcall('XINFO', 'STREAM', KEYS[index]), -1
  if not facts.err then
    local values = {}
    for at = 1, #facts - 1, 2 do
      values[facts[at]] = facts[at + 1]
    end
    if values['entries-added'] then
      gone = values['entries-added'] - values['length']
    end
  end
  found[#found + 1] = gone
  found[#found + 1] = redis.call('HGET', KEYS[1], KEYS[index]) or '0'
end
return found

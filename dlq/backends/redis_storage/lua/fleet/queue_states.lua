#!lua flags=no-writes
-- What many queues have, in one round trip. For each: waiting, the next job, failed, delayed, the
-- pause's milliseconds, the owners, and {number, length, the job behind the running one} for each
-- list of a worker that holds anything.
-- KEYS: for each queue its list, failed jobs, delayed jobs, pause, owners, and the lists of its
-- workers from 1. ARGV: for each queue, how many of the latter.
local found, at = {}, 1
for index, count in ipairs(ARGV) do
  local lists = {}
  for number = 1, tonumber(count) do
    local key = KEYS[at + 4 + number]
    local length = redis.call('LLEN', key)
    if length > 0 then
      lists[#lists + 1] = {number, length, length > 1 and redis.call('LINDEX', key, -2) or ''}
    end
  end
  found[index] = {
    redis.call('LLEN', KEYS[at]), redis.call('LINDEX', KEYS[at], -1) or '',
    redis.call('XLEN', KEYS[at + 1]), redis.call('ZCARD', KEYS[at + 2]),
    redis.call('PTTL', KEYS[at + 3]), redis.call('HGETALL', KEYS[at + 4]), lists
  }
  at = at + 5 + tonumber(count)
end
return found

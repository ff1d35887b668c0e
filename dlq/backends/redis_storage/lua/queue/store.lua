#!lua
--@include now
-- Store jobs, now or later, perhaps each under a lock: all in one step. A full server refuses it.
-- KEYS: queue, delayed, locks
-- ARGV: 'now', 'front', 'in' or 'at'; the ms of the last two; the ms that a lock may last (0: there
--       are none); three random hex digits; then each job, followed by the name of its lock if any
-- Returns how many were stored. A lock is the field of its name: 'expiry:due:job' (ms, ms, SHA-1);
-- the field of the job's SHA-1 leads back to it.
local at = now()
local due = 0
if ARGV[1] == 'in' then due = at + ARGV[2] elseif ARGV[1] == 'at' then due = tonumber(ARGV[2]) end
local lasts = tonumber(ARGV[3])
local time = redis.call('TIME')
local micros = time[1] * 1000000 + time[2]
local stored = 0
for index = 5, #ARGV, lasts > 0 and 2 or 1 do
  local raw = ARGV[index]
  local held = lasts > 0 and redis.call('HGET', KEYS[3], ARGV[index + 1])
  if not held or tonumber(string.match(held, '^%d+')) <= at then
    -- The job comes first: a lock without its job would keep the next ones away.
    if due > 0 then
      -- Jobs that are due at the same moment keep their order.
      local prefix = string.format('%013x', micros + index) .. ARGV[4] .. ':'
      redis.call('ZADD', KEYS[2], due, prefix .. raw)
    else
      redis.call(ARGV[1] == 'front' and 'RPUSH' or 'LPUSH', KEYS[1], raw)
    end
    if lasts > 0 then
      local job = redis.sha1hex(raw)
      local lock = string.format('%.0f:%.0f:%s', at + lasts, due, job)
      redis.call('HSET', KEYS[3], ARGV[index + 1], lock, job, ARGV[index + 1])
    end
    stored = stored + 1
  end
end
if lasts > 0 and stored > 0 and redis.call('PTTL', KEYS[3]) < lasts then
  redis.call('PEXPIRE', KEYS[3], lasts)
end
return stored

#!lua
--@include placement store_one
-- Store jobs, now or later, perhaps each under a lock: all in one step. A full server refuses it.
-- KEYS: queue, delayed, locks
-- ARGV: 'now', 'front', 'in' or 'at'; the ms of the last two; the ms that a lock may last (0: there
--       are none); three random hex digits; then each job, followed by the name of its lock if any
-- Returns how many were stored.
local due, at, micros = placement(ARGV[1], ARGV[2])
local lasts = tonumber(ARGV[3])
local stored = 0
for index = 5, #ARGV, lasts > 0 and 2 or 1 do
  -- Jobs that are due at the same moment keep their order.
  local prefix = string.format('%013x', micros + index) .. ARGV[4]
  local lock = lasts > 0 and ARGV[index + 1] or ''
  if not store_one(ARGV[1], at, due, prefix, ARGV[index], lasts, lock, '') then
    stored = stored + 1
  end
end
return stored

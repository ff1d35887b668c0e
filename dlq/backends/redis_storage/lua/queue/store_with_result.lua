#!lua
--@include placement store_one
-- Store a job, and the record of what becomes of it.
-- KEYS: queue, delayed, locks, result
-- ARGV: the first four as for store.lua; the job; the name of its lock, or nothing; the id of the
--       result; the ms to keep the record for, from the moment at which the job is due; then the
--       fields of the record
-- Returns nothing, or the id of the job that has the lock.
local due, at, micros = placement(ARGV[1], ARGV[2])
local prefix = string.format('%013x', micros) .. ARGV[4]
local lock = store_one(ARGV[1], at, due, prefix, ARGV[5], tonumber(ARGV[3]), ARGV[6], ARGV[7])
if lock then return string.match(lock, '^%d+:%d+:(%w*):') end
redis.call('HSET', KEYS[4], unpack(ARGV, 9))
redis.call('PEXPIRE', KEYS[4], ARGV[8] + math.max(0, due - at))
return ''

#!lua flags=allow-oom
-- A task starts. A record that has expired stays away. Safe to send twice.
-- KEYS: result. ARGV: the moment, who runs it, ms to keep the record for
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if redis.call('HGET', KEYS[1], 'attempted') == ARGV[1] then return 0 end
local attempt = redis.call('HINCRBY', KEYS[1], 'attempts', 1)
redis.call('HSETNX', KEYS[1], 'started', ARGV[1])
redis.call('HSET', KEYS[1], 'status', 'RUNNING', 'attempted', ARGV[1], 'worker:' .. attempt, ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1

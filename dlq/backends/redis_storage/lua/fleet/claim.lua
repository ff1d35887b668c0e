#!lua flags=allow-oom
-- Take a worker number over from the owner that was asked for before, if it still has it.
-- KEYS: owners, alive. ARGV: number, own record, the old record or '', the runner, ms to live
local owner = redis.call('HGET', KEYS[1], ARGV[1]) or ''
if owner ~= ARGV[3] then return {'owner', owner} end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
-- A number whose owner has no heartbeat is free. The heartbeat process renews it.
redis.call('SET', KEYS[2], ARGV[4], 'PX', ARGV[5], 'NX')
return {'done'}

#!lua flags=no-writes
-- What is in our list, from its head on. KEYS: processing, owners. ARGV: number, own record
if redis.call('HGET', KEYS[2], ARGV[1]) ~= ARGV[2] then return {'owner'} end
return {'list', redis.call('LRANGE', KEYS[1], 0, -1)}

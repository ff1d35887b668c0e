#!lua flags=allow-oom
-- After a broken connection: put the record of the new one in place, so that what the old one still
-- has under way does nothing more, and return what the last take has written down, and what is in our
-- list, from its head on.
-- KEYS: processing, owners. ARGV: number, the old record, the new record
local owner = redis.call('HGET', KEYS[2], ARGV[1])
-- The new one is there already where this call's first answer was lost.
if owner ~= ARGV[2] and owner ~= ARGV[3] then return {'owner'} end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
local take = redis.call('HGET', KEYS[2], ARGV[1] .. ':take') or ''
return {'list', take, redis.call('LRANGE', KEYS[1], 0, -1)}

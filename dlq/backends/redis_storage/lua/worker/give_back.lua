#!lua flags=allow-oom
--@include give_back
-- Not run, or not to its end: next again, with all that was taken after it.
-- KEYS: processing, owners, queue
-- ARGV: number, own record, how many of the oldest stay in the list, how many to move at most
if redis.call('HGET', KEYS[2], ARGV[1]) ~= ARGV[2] then return {'owner'} end
return {'done', give_back(KEYS[1], KEYS[3], tonumber(ARGV[3]), tonumber(ARGV[4]))}

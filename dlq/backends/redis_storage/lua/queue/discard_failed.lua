#!lua flags=allow-oom
--@include count_removed
-- KEYS: failed, removed. ARGV: ids
return count_removed(KEYS[1], KEYS[2], redis.call('XDEL', KEYS[1], unpack(ARGV)))

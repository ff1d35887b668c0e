#!lua flags=allow-oom
-- For what must be said to a full server, too. KEYS: the key. ARGV: its value, its life (ms)
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return {'done'}

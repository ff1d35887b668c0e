#!lua flags=allow-oom
-- SET also on a full server. KEYS: the key. ARGV: its value, its life (ms)
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return {'done'}

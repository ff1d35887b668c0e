#!lua flags=allow-oom
-- Give a worker number up. KEYS: owners. ARGV: number, own record
if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then
  redis.call('HDEL', KEYS[1], ARGV[1], ARGV[1] .. ':take')
end
return {'done'}

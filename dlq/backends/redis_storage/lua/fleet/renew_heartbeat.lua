#!lua flags=allow-oom
-- Renew a heartbeat, also on a full server, and hand over the requests to end jobs.
-- KEYS: the heartbeat, the requests. ARGV: its value, its life (ms).
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
local requests = redis.call('HGETALL', KEYS[2])
if #requests > 0 then
  redis.call('DEL', KEYS[2])
end
return requests

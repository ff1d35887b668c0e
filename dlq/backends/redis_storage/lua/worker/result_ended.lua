#!lua flags=allow-oom
-- An attempt of a task has ended. Safe to send twice.
-- KEYS: result
-- ARGV: the status; the moment if it was the last attempt, or nothing; ms to keep the record for;
--       the value as JSON, or nothing; the error as JSON, or nothing
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'status', ARGV[1])
if ARGV[2] ~= '' then redis.call('HSET', KEYS[1], 'finished', ARGV[2]) end
if ARGV[4] ~= '' then redis.call('HSET', KEYS[1], 'value', ARGV[4]) end
if ARGV[5] ~= '' then
  local attempt = redis.call('HGET', KEYS[1], 'attempts') or '0'
  redis.call('HSET', KEYS[1], 'error:' .. attempt, ARGV[5])
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1

-- Count the failed jobs that were retried or discarded: what else is missing was dropped by
-- FAILED_KEEP. With the last of them, both start again.
local function count_removed(failed, removed, count)
  if redis.call('XLEN', failed) == 0 then
    redis.call('DEL', failed)
    redis.call('HDEL', removed, failed)
  elseif count > 0 then
    redis.call('HINCRBY', removed, failed, count)
  end
  return count
end

#!lua flags=allow-oom
--@include count_removed
-- KEYS: failed, queue, crashes, attempts, removed. ARGV: ids
local count = 0
for _, id in ipairs(ARGV) do
  local found = redis.call('XRANGE', KEYS[1], id, id)[1]
  if found then
    local fields = found[2]
    for place = 1, #fields, 2 do
      if fields[place] == 'raw' then
        local name = redis.sha1hex(fields[place + 1])
        redis.call('HDEL', KEYS[3], name)
        redis.call('HDEL', KEYS[4], name)
        redis.call('LPUSH', KEYS[2], fields[place + 1])
      end
    end
    redis.call('XDEL', KEYS[1], id)
    count = count + 1
  end
end
return count_removed(KEYS[1], KEYS[5], count)

#!lua flags=allow-oom
--@include unlock
-- Forget delayed jobs and their locks. KEYS: delayed, locks. ARGV: the members
local count = 0
for _, member in ipairs(ARGV) do
  if redis.call('ZREM', KEYS[1], member) == 1 then
    unlock(KEYS[2], string.sub(member, 18))
    count = count + 1
  end
end
return count

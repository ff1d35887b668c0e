#!lua flags=allow-oom
--@include now
-- Wake workers that wait, for the jobs that are due. A worker that takes a job looks for delayed
-- jobs that are due itself, and they come before what waits; but one that waits already does not
-- hear of them. So no more jobs are moved than workers wait, and none where the queue has others:
-- their order stays.
-- KEYS: for each queue delayed, queue, pause. ARGV: for each queue how many of our workers wait
-- Returns the ms until the next job is due, -1 where there is none.
local at = now()
local next_in = -1
for index = 1, #KEYS / 3 do
  local delayed, queue, pause = KEYS[3 * index - 2], KEYS[3 * index - 1], KEYS[3 * index]
  local first = redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')
  if first[2] then
    local due_in = first[2] - at
    if due_in <= 0 then
      local many = tonumber(ARGV[index])
      -- Late already: those that wait are another program's workers, or ours have just gone to wait.
      if due_in <= -1000 then many = math.max(many, 1) end
      due_in = 2000
      if many > 0 and redis.call('EXISTS', pause, queue) == 0 then
        local due = redis.call('ZRANGEBYSCORE', delayed, '-inf', at, 'LIMIT', 0, many)
        for job = #due, 1, -1 do
          redis.call('RPUSH', queue, string.sub(due[job], 18))
          redis.call('ZREM', delayed, due[job])
        end
        first = redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')
        due_in = first[2] and first[2] - at or -1
        -- The rest of many that are due: when those that were woken have taken theirs.
        if first[2] and due_in <= 0 then due_in = 50 end
      end
    end
    if due_in >= 0 and (next_in < 0 or due_in < next_in) then next_in = due_in end
  end
end
return next_in

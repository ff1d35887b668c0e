#!lua flags=allow-oom
--@include unlock
-- A unique job starts: from now on an equal one may be stored. KEYS: locks. ARGV: the job
return unlock(KEYS[1], ARGV[1])

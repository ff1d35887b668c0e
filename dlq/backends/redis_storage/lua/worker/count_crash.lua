#!lua flags=allow-oom
--@include count_up
-- A job has taken its worker down. KEYS: crashes. ARGV: the job's name, seconds to keep the count for
return count_up(KEYS[1], ARGV[1], ARGV[2])

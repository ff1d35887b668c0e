#!lua flags=allow-oom
--@include keep_failed is_refused
-- KEYS: failed. ARGV: how many to keep, then the fields
local kept = keep_failed(KEYS[1], ARGV[1], 2)
return is_refused(kept) and kept or {'done'}

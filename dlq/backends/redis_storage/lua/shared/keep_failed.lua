local function keep_failed(failed, keep, first)
  if tonumber(keep) > 0 then
    return redis.pcall('XADD', failed, 'MAXLEN', keep, '*', unpack(ARGV, first))
  end
end

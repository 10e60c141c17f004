--[[
Stores an attempt's progress, if the claim is still this worker's.

KEYS  1 claims  2 extras of the instance
ARGV  1 claim field  2 worker  3 token  4 progress
REPLY 1 | 0 (the claim is somebody else's or gone)
]]
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[2], 'p:' .. ARGV[3], ARGV[4])
return 1

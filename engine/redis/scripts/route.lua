--[[
Reads the instances under a correlation key; with none there, parks the signal until one registers. One script, so that
a signal and a registration never miss each other.

KEYS  1 set of instances under the key  2 hash of parked signals under the key  3 zset of everything parked
ARGV  1 key  2 signal id  3 body
REPLY { instance id ... }, empty when the signal was parked
]]
local found = redis.call('SMEMBERS', KEYS[1])
if #found > 0 then return found end
if redis.call('HSETNX', KEYS[2], ARGV[2], ARGV[3]) == 1 then
  local time = redis.call('TIME')
  -- Ms with three decimals, so that signals of one ms keep their order.
  redis.call('ZADD', KEYS[3], string.format('%s%03d.%03d', time[1], math.floor(time[2] / 1000), time[2] % 1000), ARGV[1] .. '\n' .. ARGV[2])
end
return {}

--[[
Reads the instances under a correlation key; with none there, parks the signal until one registers. One script, so that
a signal and a registration never miss each other. A signal that is delivered again after its instance let go of the key
is known by the mark of its first coming and not parked anew.

KEYS  1 set of instances under the key  2 hash of parked signals under the key  3 zset of everything parked  4 mark
ARGV  1 key  2 signal id  3 body  4 seconds a mark lasts
REPLY { instance id ... }, empty when the signal waits; false when it came before and is gone
]]
local found = redis.call('SMEMBERS', KEYS[1])
local waits = #found == 0 and redis.call('HEXISTS', KEYS[2], ARGV[2]) == 1
local came = redis.call('EXISTS', KEYS[4]) == 1
if #found == 0 and came and not waits then return false end
if not came then redis.call('SET', KEYS[4], '', 'EX', ARGV[4]) end
if #found > 0 then return found end
if not waits then
  redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
  local time = redis.call('TIME')
  -- Ms with three decimals, so that signals of one ms keep their order.
  redis.call('ZADD', KEYS[3], string.format('%s%03d.%03d', time[1], math.floor(time[2] / 1000), time[2] % 1000), ARGV[1] .. '\n' .. ARGV[2])
end
return {}

--[[
Puts an instance under a correlation key and reads the signals that waited for the key, in the order they came.

KEYS  1 set of instances under the key  2 hash of parked signals under the key  3 zset of everything parked
ARGV  1 instance id  2 key
REPLY { signal id, body, ms it came, signal id, body, ms ... }
]]
redis.call('SADD', KEYS[1], ARGV[1])
local flat = redis.call('HGETALL', KEYS[2])
local parked = {}
for at = 1, #flat, 2 do
  local came = redis.call('ZSCORE', KEYS[3], ARGV[2] .. '\n' .. flat[at])
  parked[#parked + 1] = { id = flat[at], body = flat[at + 1], came = tonumber(came or '0') }
end
table.sort(parked, function(a, b) return a.came < b.came or (a.came == b.came and a.id < b.id) end)
local reply = {}
for _, signal in ipairs(parked) do
  reply[#reply + 1] = signal.id
  reply[#reply + 1] = signal.body
  reply[#reply + 1] = string.format('%.0f', math.floor(signal.came))
end
return reply

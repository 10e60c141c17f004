--[[
Reads an instance together with the store's time. Writes nothing.

KEYS  1 instance
ARGV  1 signal id whose outcome is wanted, or ''
REPLY { ms, revision or false, body, machine, outcome or false }
]]
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
if ARGV[1] == '' then
  local found = redis.call('HMGET', KEYS[1], 'r', 'b', 'm')
  return { now, found[1], found[2], found[3], false }
end
local found = redis.call('HMGET', KEYS[1], 'r', 'b', 'm', 'sig:' .. ARGV[1])
return { now, found[1], found[2], found[3], found[4] }

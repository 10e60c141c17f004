--[[
Reads an instance together with the store's time. Writes nothing.

KEYS  1 instance  2 its extras
ARGV  1 signal id whose outcome is wanted, or ''
REPLY { ms, revision or false, body, context, outcome or false }
]]
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local length = redis.call('LLEN', KEYS[1])
if length == 0 then return { now, false } end
local stored = redis.call('LRANGE', KEYS[1], 0, 1)
local outcome = ARGV[1] ~= '' and redis.call('HGET', KEYS[2], 'sig:' .. ARGV[1])
return { now, length - 2, stored[1], stored[2], outcome }

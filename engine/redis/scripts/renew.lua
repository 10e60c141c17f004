--[[
Renews a worker's lease by the store's time and moves the store's tick on.

KEYS  1 leases  2 epoch
ARGV  1 worker  2 ms the lease holds
REPLY { ms, epoch id or false, tick }
]]
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local epoch = redis.call('HGET', KEYS[2], 'id')
if not epoch then return { now, false, 0 } end
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), ARGV[1])
return { now, epoch, redis.call('HINCRBY', KEYS[2], 'tick', 1) }

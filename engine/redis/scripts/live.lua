--[[
The workers whose lease holds, by the store's time; leases long over are dropped.

KEYS  1 leases
ARGV  1 ms after which a dead lease is forgotten
REPLY { ms, worker ... }
]]
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[1]))
local live = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf')
table.insert(live, 1, now)
return live

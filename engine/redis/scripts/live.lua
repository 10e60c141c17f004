--[[
The workers whose lease holds, by the store's time; leases long over are dropped. One that ends later than any can was
taken before the store's clock was set back, and is cut: its worker renews it, or is dead.

KEYS  1 leases
ARGV  1 ms after which a dead lease is forgotten  2 ms that no lease lasts
REPLY { ms, worker ... }
]]
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[1]))
local most = now + tonumber(ARGV[2])
for _, worker in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. most, '+inf')) do
  redis.call('ZADD', KEYS[1], most, worker)
end
local live = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf')
table.insert(live, 1, now)
return live

--[[
Renews a worker's lease by the store's time and moves the store's tick on.

KEYS  1 leases  2 epoch
ARGV  1 worker  2 ms the lease holds  3 newest tick the worker has seen
REPLY { ms, epoch id or false, tick }; false also when the store has lost what it had answered: by the mark of a client
      that missed a commit of its own, or because the tick has gone back
]]
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local epoch = redis.call('HGET', KEYS[2], 'id')
if not epoch then return { now, false, 0 } end
local tick = tonumber(redis.call('HGET', KEYS[2], 'tick') or '0')
if tick < tonumber(ARGV[3]) then redis.call('HSET', KEYS[2], 'rewound', '1') end
if redis.call('HEXISTS', KEYS[2], 'rewound') == 1 then return { now, false, tick } end
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), ARGV[1])
redis.call('HSET', KEYS[2], 'at', string.format('%.0f', now))
return { now, epoch, redis.call('HINCRBY', KEYS[2], 'tick', 1) }

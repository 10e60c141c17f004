--[[
Gives a claim back, if it is still this worker's, or leaves it to a holder that no lease stands for.

KEYS  1 outbox  2 claims
ARGV  1 claim field  2 worker  3 outbox entry id to put back, or ''  4 ms before it is handed out again
      5 whom the claim is left to; without one it is dropped
REPLY 1 | 0 (the claim is somebody else's or gone)
]]
if redis.call('HGET', KEYS[2], ARGV[1]) ~= ARGV[2] then return 0 end
if ARGV[5] then
  redis.call('HSET', KEYS[2], ARGV[1], ARGV[5])
  return 1
end
redis.call('HDEL', KEYS[2], ARGV[1])
if ARGV[3] ~= '' then
  local time = redis.call('TIME')
  local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  redis.call('ZADD', KEYS[1], now + tonumber(ARGV[4]), ARGV[3])
end
return 1

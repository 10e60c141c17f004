--[[
Takes on, by an operator's word, a store that was emptied or has lost what it had answered: it gets a new id, by which
every process that began before knows that it must stop.

KEYS  1 epoch
ARGV  1 id found ('' none)  2 new id  3 shards  4 ms before the last renewal from which on nothing is certain
      5... ids of stores remembered elsewhere that this word is about
REPLY 1, or 0 where the id is another one meanwhile: somebody else was first
]]
if (redis.call('HGET', KEYS[1], 'id') or '') ~= ARGV[1] then return 0 end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local renewed = tonumber(redis.call('HGET', KEYS[1], 'at') or '0')
local since = string.format('%.0f', math.max(renewed - tonumber(ARGV[4]), 0))
redis.call('HSET', KEYS[1], 'id', ARGV[2], 'loss:' .. ARGV[2], since .. '|' .. string.format('%.0f', now))
redis.call('HSETNX', KEYS[1], 'shards', ARGV[3])
redis.call('HDEL', KEYS[1], 'rewound')
if ARGV[1] ~= '' then redis.call('HSET', KEYS[1], 'accepted:' .. ARGV[1], '1') end
for at = 5, #ARGV do redis.call('HSET', KEYS[1], 'accepted:' .. ARGV[at], '1') end
return 1

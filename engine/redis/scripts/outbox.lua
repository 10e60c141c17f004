--[[
Takes what is due from the outbox by the store's own time. An activity that the worker has room for is claimed for it at
once, as claim.lua does, and comes with its instance; everything else is hidden from other callers for a while. Hiding
moves only the score; a taker that dies leaves the entry to the next one.

A claim whose reply was lost is not given again: its worker finds it among its own and gives it back.

KEYS  1 outbox  2 bodies  3 claims
ARGV  1 limit  2 hide ms  3 key prefix of the shard  4 worker  then queue, how many of it the worker takes ...
REPLY { ms, { entry, body or false } | { entry, false, revision, progress or false, body, context } ... }
]]
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local prefix, worker = ARGV[3], ARGV[4]
local room = {}
for at = 5, #ARGV, 2 do room[ARGV[at]] = tonumber(ARGV[at + 1]) end

local function take(entry)
  local id, token, queue = string.match(entry, '^a|([^|]*)|([^|]*)|(.*)$')
  if not id or (room[queue] or 0) < 1 then return nil end
  local field, key = id .. '|' .. token, prefix .. 'i:' .. id
  local revision = redis.call('LLEN', key) - 2
  if revision < 0 or redis.call('HEXISTS', KEYS[3], field) == 1 then return nil end
  room[queue] = room[queue] - 1
  redis.call('ZREM', KEYS[1], entry)
  redis.call('HSET', KEYS[3], field, worker)
  local stored = redis.call('LRANGE', key, 0, 1)
  return { entry, false, revision, redis.call('HGET', prefix .. 'x:' .. id, 'p:' .. token), stored[1], stored[2] }
end

local reply = { now }
for _, entry in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, tonumber(ARGV[1]))) do
  local taken = take(entry)
  if not taken then
    redis.call('ZADD', KEYS[1], 'XX', now + tonumber(ARGV[2]), entry)
    taken = { entry, redis.call('HGET', KEYS[2], entry) }
  end
  reply[#reply + 1] = taken
end
return reply

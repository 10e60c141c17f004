--[[
Takes what is due from a sorted set by the store's own time and hides it from other callers for a while. Hiding moves
only the set's score; a taker that dies leaves the entry to the next one.

KEYS  1 sorted set
ARGV  1 limit  2 hide ms
REPLY { ms, first score left or false, member, member ... }
]]
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, tonumber(ARGV[1]))
local reply = { now, false }
for _, member in ipairs(due) do
  redis.call('ZADD', KEYS[1], 'XX', now + tonumber(ARGV[2]), member)
  reply[#reply + 1] = member
end
local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
reply[2] = first[2] or false
return reply

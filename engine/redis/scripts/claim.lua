--[[
Takes an activity out of the outbox for one worker. The outbox entry is the permission: whoever removes it owns the
attempt until it settles or the worker's lease ends. Running twice for one worker (a reply was lost) gives the same
answer.

KEYS  1 outbox  2 claims  3 instance  4 its extras
ARGV  1 outbox entry id  2 claim field (`<id>|<token>`)  3 worker  4 token  5 revision the worker has a copy of, or ''
REPLY { ms } when it is gone; { ms, revision, progress or false, body, context }, the last two only where the worker's
      copy is not of this revision
]]
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local held = redis.call('HGET', KEYS[2], ARGV[2])
if held then
  if held ~= ARGV[3] then return { now } end
elseif redis.call('ZSCORE', KEYS[1], ARGV[1]) then
  redis.call('ZREM', KEYS[1], ARGV[1])
  redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
else
  return { now }
end
local revision = redis.call('LLEN', KEYS[3]) - 2
if revision < 0 then return { now } end
local progress = redis.call('HGET', KEYS[4], 'p:' .. ARGV[4])
if tostring(revision) == ARGV[5] then return { now, revision, progress } end
local stored = redis.call('LRANGE', KEYS[3], 0, 1)
return { now, revision, progress, stored[1], stored[2] }

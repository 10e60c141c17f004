--[[
Applies commits of one shard, each entry on its own: a refused entry touches nothing.

A batch carries its client's id and a counter. A batch already applied (the client sent it again because the reply was
lost) gets the stored answer; nothing is written. A client has one batch under way per shard at a time; a process is
as many clients as it has lanes.

KEYS  1 timers  2 outbox  3 bodies  4 claims  5 the client's last answer
ARGV  1 key prefix of the shard   2 batch counter   3 ms the answer is kept   4 wake channel of all workers; one worker's
      begins with it and ':'   5 shard number   6 the newest counter of this client that was answered
      7 ms until which that answer is here, or was lost
      then per entry: id, revision expected (0 creates), due (ms, refused before it; '' never), field the instance may
      not have yet ('' none), history line, body, context ('' leaves it), how many words of fields follow, field and
      value of the instance's extras ..., changes ..., '.'
      A change is a letter and its words, applied in the order given:
        x field                 drop a field of the instance's extras
        T token / t token ms    clear / set a timer
        C token / c token worker    drop / add a claim
        O entry                 drop an outbox entry
        a entry delay-ms token  add an activity to the outbox, unless its attempt still runs
        m entry delay-ms body   add a message to the outbox
        I name score / i name score   leave / join an index
        w                       wake a worker of another process
        D                       remove the instance; the last change
REPLY counter|ms|status|status ...   status: OK | CONFLICT | EXISTS | EARLY | BADKEY (a key of the entry has a foreign type)
ERROR SUPERSEDED when a later batch of this client was applied, REWOUND when one that was answered is unknown here: this
      store is older than its clients. Nothing is written then.

No command after an entry's first write can fail: the words of every entry and the type of every key it writes are
checked before. The instance is a list of its body, its context and a line of history a revision; it is checked by
reading its length. Stands behind index.lua and index-change.lua.
]]
local counter = ARGV[2]

local last = redis.call('GET', KEYS[5])
local known = last and string.match(last, '^%d+') or '0'
if known == counter then return last end
if tonumber(known) > tonumber(counter) then
  return redis.error_reply('SUPERSEDED a later batch of this client was applied')
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if tonumber(known) < tonumber(ARGV[6]) and now < tonumber(ARGV[7]) then
  return redis.error_reply('REWOUND a batch of this client that was answered is not known here')
end

local TIMERS, OUTBOX, BODIES, CLAIMS = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local WORDS = { x = 1, T = 1, t = 2, C = 1, c = 2, O = 1, a = 3, m = 3, I = 2, i = 2, w = 0, D = 0 }
local SHARD_KEY = { T = TIMERS, t = TIMERS, C = CLAIMS, c = CLAIMS, O = OUTBOX, a = OUTBOX, m = OUTBOX }
local NUMBER = { t = 2, a = 2, m = 2, i = 2, I = 2 }

local function sound(op, at, id)
  local number = NUMBER[op] and tonumber(ARGV[at + NUMBER[op]])
  -- What is not a number is read as one that does not equal itself, and no score takes it.
  if NUMBER[op] and (not number or number ~= number) then error('malformed number') end
  if op == 'i' or op == 'I' then return indexSound(ARGV[at + 1], ARGV[at + 2]) end
  if op == 'x' then return is(prefix .. 'x:' .. id, 'hash') end
  local key = SHARD_KEY[op]
  if not key then return true end
  if op == 'a' and not is(CLAIMS, 'hash') then return false end
  if op == 'm' and not is(BODIES, 'hash') then return false end
  return is(key, key == CLAIMS and 'hash' or 'zset')
end

-- Reads every entry before the first write: where each begins and whether its keys are sound.
local starts, refused = {}, {}
local at = 8
while at <= #ARGV do
  local id = ARGV[at]
  starts[#starts + 1] = at
  if (ARGV[at + 3] ~= '' or ARGV[at + 7] ~= '0') and not is(prefix .. 'x:' .. id, 'hash') then refused[#starts] = true end
  at = at + 8 + ARGV[at + 7]
  while ARGV[at] ~= '.' do
    local op = ARGV[at]
    if not sound(op, at, id) then refused[#starts] = true end
    at = at + 1 + WORDS[op]
  end
  at = at + 1
end

local wakes = 0
-- So many activities at once are worth more than one worker.
local FEW = 8

local function change(op, id, at)
  local word = ARGV[at + 1]
  if op == 'C' then
    redis.call('HDEL', CLAIMS, id .. '|' .. word)
  elseif op == 'c' then
    redis.call('HSET', CLAIMS, id .. '|' .. word, ARGV[at + 2])
  elseif op == 'I' then
    leave(word, ARGV[at + 2], id)
  elseif op == 'i' then
    join(word, ARGV[at + 2], id)
  elseif op == 'x' then
    redis.call('HDEL', prefix .. 'x:' .. id, word)
  elseif op == 'O' then
    redis.call('ZREM', OUTBOX, word)
  elseif op == 'a' then
    -- An attempt that still runs (paused and resumed meanwhile) is not handed out a second time.
    if redis.call('HEXISTS', CLAIMS, id .. '|' .. ARGV[at + 3]) == 0 then
      redis.call('ZADD', OUTBOX, now + ARGV[at + 2], word)
    end
  elseif op == 'm' then
    redis.call('ZADD', OUTBOX, now + ARGV[at + 2], word)
    redis.call('HSET', BODIES, word, ARGV[at + 3])
  elseif op == 'T' then
    redis.call('ZREM', TIMERS, id .. '|' .. word)
  elseif op == 't' then
    redis.call('ZADD', TIMERS, ARGV[at + 2], id .. '|' .. word)
  elseif op == 'D' then
    redis.call('UNLINK', prefix .. 'i:' .. id, prefix .. 'x:' .. id)
  else
    wakes = wakes + 1
  end
end

local function apply(at)
  local id, expected, due, once = ARGV[at], tonumber(ARGV[at + 1]), ARGV[at + 2], ARGV[at + 3]
  local line, body, context, words = ARGV[at + 4], ARGV[at + 5], ARGV[at + 6], tonumber(ARGV[at + 7])
  local key, extras = prefix .. 'i:' .. id, prefix .. 'x:' .. id
  local length = redis.pcall('LLEN', key)
  if type(length) == 'table' then return 'BADKEY' end
  if math.max(length - 2, 0) ~= expected then return expected == 0 and 'EXISTS' or 'CONFLICT' end
  if once ~= '' and redis.call('HEXISTS', extras, once) == 1 then return 'CONFLICT' end
  if due ~= '' and now < tonumber(due) then return 'EARLY' end
  -- No memory, no disk or no primary refuses the script's first write: then nothing of the batch is written.
  if expected == 0 then
    redis.call('RPUSH', key, body, context, line)
  else
    redis.call('RPUSH', key, line)
    redis.call('LSET', key, 0, body)
    if context ~= '' then redis.call('LSET', key, 1, context) end
  end
  at = at + 8
  if words > 0 then redis.call('HSET', extras, unpack(ARGV, at, at + words - 1)) end
  at = at + words
  while ARGV[at] ~= '.' do
    local op = ARGV[at]
    change(op, id, at)
    at = at + 1 + WORDS[op]
  end
  return 'OK'
end

local reply = counter .. '|' .. string.format('%.0f', now)
for index, start in ipairs(starts) do
  reply = reply .. '|' .. (refused[index] and 'BADKEY' or apply(start))
end
redis.call('SET', KEYS[5], reply, 'PX', ARGV[3])
if wakes > 0 then
  -- One worker will do for a few. Where none listens at this node of a cluster, or none can be told apart, all are woken.
  local listeners = wakes > FEW and {} or redis.pcall('PUBSUB', 'CHANNELS', ARGV[4] .. ':*')
  redis.call('PUBLISH', listeners[time[2] % #listeners + 1] or ARGV[4], ARGV[5])
end
return reply

--[[
Applies commits of one shard, each entry on its own: a refused entry touches nothing.

A batch carries its client's id and a counter. A batch already applied (the client sent it again because the reply was
lost) gets the stored answer; nothing is written. A client has one batch under way per shard at a time.

KEYS  1 timers  2 outbox  3 bodies  4 claims  5 replies
ARGV  1 key prefix of the shard   2 client id   3 batch counter   4 wake channel   5 shard number
      then four per entry: header (JSON), body, machine ('' leaves it), history line
      header: id, rev (expected; 0 creates), due (ms, refused before it), sig {id, outcome}, sset {{name, sealed}},
              sdrop {name}, tset {{token, ms}}, tclr {token}, oadd {{id, delay ms, body or false}}, odrop {id},
              cadd {{token, worker}}, cdrop {token}, forget {token},
              iscore, iadd {name}, idrop {name}, wake
REPLY { ms, status per entry ... }   status: OK | CONFLICT | EXISTS | EARLY | BADKEY (a key of the entry has a foreign type)
ERROR SUPERSEDED when a later batch of this client was applied; BADKEY when a key of the shard has a foreign type;
      nothing is written then.

No command after an entry's first write can fail: every key's type is checked and every header decoded before.
]]
local prefix, client, counter = ARGV[1], ARGV[2], tonumber(ARGV[3])

local last = redis.call('HGET', KEYS[5], client)
if last then
  local cut = string.find(last, '|', 1, true)
  local known = tonumber(string.sub(last, 1, cut - 1))
  if known == counter then return cjson.decode(string.sub(last, cut + 1)) end
  if known > counter then return redis.error_reply('SUPERSEDED a later batch of this client was applied') end
end

local function check(key, wanted)
  local kind = redis.call('TYPE', key)['ok']
  return kind == 'none' or kind == wanted
end
if not (check(KEYS[1], 'zset') and check(KEYS[2], 'zset') and check(KEYS[3], 'hash') and check(KEYS[4], 'hash')) then
  return redis.error_reply('BADKEY a key of the shard has a foreign type')
end

local headers = {}
for at = 6, #ARGV, 4 do
  local header = cjson.decode(ARGV[at])
  header.sound = check(prefix .. 'i:' .. header.id, 'hash') and check(prefix .. 'h:' .. header.id, 'list')
  for _, names in ipairs({ header.iadd, header.idrop }) do
    for _, name in ipairs(names) do header.sound = header.sound and check(prefix .. 'ix:' .. name, 'zset') end
  end
  headers[#headers + 1] = header
end

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local function apply(header, body, machine, line)
  local id = header.id
  if not header.sound then return 'BADKEY' end
  local key = prefix .. 'i:' .. id
  local revision = tonumber(redis.call('HGET', key, 'r') or '0')
  if not revision then return 'BADKEY' end
  if header.rev == 0 and revision > 0 then return 'EXISTS' end
  if revision ~= header.rev then return 'CONFLICT' end
  if header.due and now < header.due then return 'EARLY' end

  local fields = { 'r', revision + 1, 'b', body }
  if machine ~= '' then
    fields[#fields + 1] = 'm'
    fields[#fields + 1] = machine
  end
  if header.sig then
    fields[#fields + 1] = 'sig:' .. header.sig[1]
    fields[#fields + 1] = header.sig[2]
  end
  for _, secret in ipairs(header.sset) do
    fields[#fields + 1] = 'sec:' .. secret[1]
    fields[#fields + 1] = secret[2]
  end
  redis.call('HSET', key, unpack(fields))
  for _, name in ipairs(header.sdrop) do redis.call('HDEL', key, 'sec:' .. name) end
  for _, token in ipairs(header.forget) do redis.call('HDEL', key, 'p:' .. token) end
  redis.call('RPUSH', prefix .. 'h:' .. id, line)

  for _, token in ipairs(header.tclr) do redis.call('ZREM', KEYS[1], id .. '|' .. token) end
  for _, timer in ipairs(header.tset) do redis.call('ZADD', KEYS[1], timer[2], id .. '|' .. timer[1]) end

  for _, token in ipairs(header.cdrop) do redis.call('HDEL', KEYS[4], id .. '|' .. token) end
  for _, entry in ipairs(header.odrop) do redis.call('ZREM', KEYS[2], entry) end
  for _, entry in ipairs(header.oadd) do
    -- An attempt that still runs (paused and resumed meanwhile) is not handed out a second time.
    local token = string.match(entry[1], '^a|[^|]+|([^|]+)|')
    if not (token and redis.call('HEXISTS', KEYS[4], id .. '|' .. token) == 1) then
      redis.call('ZADD', KEYS[2], now + entry[2], entry[1])
      if entry[3] then redis.call('HSET', KEYS[3], entry[1], entry[3]) end
    end
  end
  for _, claim in ipairs(header.cadd) do
    redis.call('HSET', KEYS[4], id .. '|' .. claim[1], claim[2])
  end

  for _, name in ipairs(header.idrop) do redis.call('ZREM', prefix .. 'ix:' .. name, id) end
  for _, name in ipairs(header.iadd) do redis.call('ZADD', prefix .. 'ix:' .. name, header.iscore, id) end
  return 'OK'
end

local reply = { now }
local wake = false
for index, header in ipairs(headers) do
  local at = 6 + (index - 1) * 4
  local status = apply(header, ARGV[at + 1], ARGV[at + 2], ARGV[at + 3])
  reply[#reply + 1] = status
  wake = wake or (status == 'OK' and header.wake)
end
redis.call('HSET', KEYS[5], client, ARGV[3] .. '|' .. cjson.encode(reply))
if wake then redis.call('PUBLISH', ARGV[4], ARGV[5]) end
return reply

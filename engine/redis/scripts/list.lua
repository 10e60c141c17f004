--[[
Reads one shard's part of a page: the newest members that stand in all of several indexes, older than a position. The
shortest index leads and the others are asked about its members, a stretch at a time; where a stretch has none in common,
the lead jumps to where the others go on. Writes nothing, and looks at no more members than it is told to.

KEYS  indexes: sorted sets of ids by creation ms
ARGV  1 members wanted  2 score and  3 id of the position, '' for the newest  4 score of the oldest wanted
      5 members of the lead looked at, at most
REPLY { score, id, member, score, member, score ... }: the answer is whole down to the position it begins with; false
      twice where nothing older is left
]]
local wanted, oldest, most = tonumber(ARGV[1]), tonumber(ARGV[4]), tonumber(ARGV[5])
local reply = { false, false }

local lead, others = 1, {}
local least = math.huge
for index, key in ipairs(KEYS) do
  local size = redis.call('ZCARD', key)
  if size == 0 then return reply end
  if size < least then lead, least = index, size end
end
for index, key in ipairs(KEYS) do
  if index ~= lead then others[#others + 1] = key end
end
lead = KEYS[lead]

-- As the sorted set compares members; Lua's own comparison follows the server's locale.
local function isBefore(a, b)
  for at = 1, math.min(#a, #b) do
    local one, other = a:byte(at), b:byte(at)
    if one ~= other then return one < other end
  end
  return #a < #b
end

-- The place of the first member older than the position, which itself may be gone.
local function placeAfter(score, id)
  local from = redis.call('ZCOUNT', lead, '(' .. score, '+inf')
  local to = redis.call('ZCOUNT', lead, score, '+inf')
  while from < to do
    local middle = math.floor((from + to) / 2)
    if isBefore(redis.call('ZREVRANGE', lead, middle, middle)[1], id) then to = middle else from = middle + 1 end
  end
  return from
end

-- Score of the newest member, at this score or below, that every other index could hold; nil when one is at its end.
local function goOn(score)
  local least = tonumber(score)
  for _, key in ipairs(others) do
    local head = redis.call('ZREVRANGEBYSCORE', key, score, '-inf', 'WITHSCORES', 'LIMIT', 0, 1)
    if #head == 0 then return nil end
    least = math.min(least, tonumber(head[2]))
  end
  return least
end

local stretch = #others == 0 and math.min(wanted, 1000) or 100
local place = ARGV[2] == '' and 0 or placeAfter(ARGV[2], ARGV[3])
local found, looked = 0, 0
while true do
  local page = redis.call('ZREVRANGE', lead, place, place + stretch - 1, 'WITHSCORES')
  local ids = {}
  for at = 1, #page, 2 do ids[#ids + 1] = page[at] end
  if #ids == 0 then return reply end
  local columns = {}
  for index, key in ipairs(others) do columns[index] = redis.call('ZMSCORE', key, unpack(ids)) end
  local common = false
  for at, id in ipairs(ids) do
    local score = page[2 * at]
    if tonumber(score) < oldest then return reply end
    local everywhere = true
    for _, column in ipairs(columns) do everywhere = everywhere and column[at] end
    if everywhere then
      common, found = true, found + 1
      reply[#reply + 1] = id
      reply[#reply + 1] = score
      if found == wanted then
        reply[1], reply[2] = score, id
        return reply
      end
    end
  end
  place, looked = place + #ids, looked + #ids
  local last = page[#page]
  if #others > 0 and not common then
    local score = goOn(last)
    if not score then return reply end
    if score < tonumber(last) then place = redis.call('ZCOUNT', lead, '(' .. string.format('%.17g', score), '+inf') end
  end
  if looked >= most then
    reply[1], reply[2] = last, ids[#ids]
    return reply
  end
end

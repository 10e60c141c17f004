--[[
Reads one shard's part of a page: the newest members that stand in all of several indexes, older than a position. The
shortest index leads and the others are asked about its members, a stretch at a time; where a stretch has none in common,
the lead jumps to where the others go on. Writes nothing, and looks at no more members than it is told to.

KEYS  indexes, as index.lua says
ARGV  1 key prefix of the shard  2 members wanted  3 score and  4 id of the position, '' for the newest
      5 score of the oldest wanted  6 members of the lead looked at, at most
REPLY { score, id, member, score, member, score ... }: the answer is whole down to the position it begins with; false
      twice where nothing older is left
]]
local wanted, oldest, most = tonumber(ARGV[2]), tonumber(ARGV[5]), tonumber(ARGV[6])
local reply = { false, false }

-- Of an index in pieces, `key` and `bound` are those of the piece looked into last.
local lead, others = nil, {}
for _, key in ipairs(KEYS) do
  local parted = redis.call('TYPE', key)['ok'] == 'hash'
  local size = tonumber(parted and redis.call('HGET', key, 'size') or redis.call('ZCARD', key))
  if size == 0 then return reply end
  local index = { name = string.sub(key, #prefix + 4), key = key, parted = parted, size = size }
  if not lead or size < lead.size then
    index, lead = lead, index
  end
  others[#others + 1] = index
end

-- Turns to the piece for a score; false when there is none.
local function open(index, score)
  if not index.parted then return true end
  index.bound = boundOf(index.name, score)
  index.key = index.bound and pieceKey(index.name, index.bound)
  return index.bound
end

local function openBelow(index) return index.parted and open(index, '(' .. index.bound) end

-- Scores only fall, so a piece serves until one is below its bound.
local function holds(index, id, score)
  if index.parted and not (index.bound and tonumber(score) >= tonumber(index.bound)) then open(index, score) end
  return redis.call('ZSCORE', index.key, id)
end

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
  local from = redis.call('ZCOUNT', lead.key, '(' .. score, '+inf')
  local to = redis.call('ZCOUNT', lead.key, score, '+inf')
  while from < to do
    local middle = math.floor((from + to) / 2)
    if isBefore(redis.call('ZREVRANGE', lead.key, middle, middle)[1], id) then to = middle else from = middle + 1 end
  end
  return from
end

-- Score of the newest member, at this score or below, that every other index could hold; nil when one is at its end.
local function goOn(score)
  local least = tonumber(score)
  for _, index in ipairs(others) do
    open(index, score)
    local head
    repeat
      head = redis.call('ZREVRANGEBYSCORE', index.key, score, '-inf', 'WITHSCORES', 'LIMIT', 0, 1)
    until #head > 0 or not openBelow(index)
    if #head == 0 then return nil end
    least = math.min(least, tonumber(head[2]))
  end
  return least
end

local function everywhere(id, score)
  for _, index in ipairs(others) do
    if not holds(index, id, score) then return false end
  end
  return true
end

local stretch = #others == 0 and math.min(wanted, 1000) or 100
open(lead, ARGV[3] == '' and '+inf' or ARGV[3])
local place = ARGV[3] == '' and 0 or placeAfter(ARGV[3], ARGV[4])
local found, looked = 0, 0
while true do
  local page = redis.call('ZREVRANGE', lead.key, place, place + stretch - 1, 'WITHSCORES')
  while #page == 0 do
    if not openBelow(lead) then return reply end
    place = 0
    page = redis.call('ZREVRANGE', lead.key, place, place + stretch - 1, 'WITHSCORES')
  end
  local common = false
  for at = 1, #page, 2 do
    local id, score = page[at], page[at + 1]
    if tonumber(score) < oldest then return reply end
    if everywhere(id, score) then
      common, found = true, found + 1
      reply[#reply + 1] = id
      reply[#reply + 1] = score
      if found == wanted then
        reply[1], reply[2] = score, id
        return reply
      end
    end
  end
  place, looked = place + #page / 2, looked + #page / 2
  local last = page[#page]
  if #others > 0 and not common then
    local score = goOn(last)
    if not score then return reply end
    if score < tonumber(last) then
      local from = string.format('%.17g', score)
      open(lead, from)
      place = redis.call('ZCOUNT', lead.key, '(' .. from, '+inf')
    end
  end
  if looked >= most then
    reply[1], reply[2] = last, page[#page - 1]
    return reply
  end
end

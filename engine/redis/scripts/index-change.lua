--[[
Writing an index, behind index.lua. A piece that is found full is cut before it takes another member, so that it stays
below the 128 up to which Redis keeps a sorted set compact; one that is nearly empty is folded into the one below it.
`indexSound` looks before the first write at all that `join` and `leave` may touch. What it learns of keys is remembered.
]]
local FULL, SPARSE = 64, 16
-- One join in so many looks how full the piece is: the look costs as much as the join.
local LOOK = 4
local looks = tonumber(redis.call('TIME')[2])
local types, spots = {}, {}

local function typeOf(key)
  local kind = types[key]
  if not kind then
    kind = redis.call('TYPE', key)['ok']
    types[key] = kind
  end
  return kind
end

-- Types hold for the whole batch: what it creates has the type it wants.
local function is(key, wanted)
  local kind = typeOf(key)
  return kind == 'none' or kind == wanted
end

-- The bound of the piece for a score, or nil for an index of one piece.
local function spot(name, score)
  if types[prefix .. 'ix:' .. name] ~= 'hash' then return nil end
  local known = spots[name]
  if not known or known.score ~= score then
    known = { score = score, bound = boundOf(name, score) }
    spots[name] = known
  end
  return known.bound
end

local function indexSound(name, score)
  local kind = typeOf(prefix .. 'ix:' .. name)
  if kind ~= 'hash' then return kind == 'zset' or kind == 'none' end
  local known, bound = pcall(spot, name, score)
  return known and bound and is(pieceKey(name, bound), 'zset')
end

-- Changes the pieces: `cut` parts a full one for a member of this score, `fold` puts one into the next below.
local function reshape(how, name, bound, score)
  local whole, bounds = prefix .. 'ix:' .. name, prefix .. 'bounds:' .. name
  local key = bound and pieceKey(name, bound) or whole

  local function addAll(to, rows, from)
    for i = from, #rows, 2 do redis.call('ZADD', to, rows[i + 1], rows[i]) end
  end

  -- The bound of the new piece and the first row to go there; one that comes at the top leaves the others where they are.
  local function pickCut(rows)
    if tonumber(score) > tonumber(rows[#rows]) then return score, #rows + 1 end
    if rows[2] == rows[#rows] then return rows[2], 1 end
    local middle = math.floor(#rows / 4) * 2 + 1
    for i = middle, #rows, 2 do
      if i > 1 and rows[i + 1] ~= rows[i - 1] then return rows[i + 1], i end
    end
    for i = middle, 3, -2 do
      if rows[i + 1] ~= rows[i - 1] then return rows[i + 1], i end
    end
  end

  local function scoreAt(place) return tonumber(redis.call('ZRANGE', key, place, place, 'WITHSCORES')[2]) end

  -- Not where all have one score, nor where a foreign key has the place of the new piece. The former is looked at first:
  -- thousands may have been made in one millisecond, and each that joins them would read them all.
  local function cut()
    local lowest, highest = scoreAt(0), scoreAt(-1)
    if lowest == highest and tonumber(score) == highest then return end
    local rows = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
    local cutAt, from = pickCut(rows)
    if not cutAt or typeOf(pieceKey(name, cutAt)) ~= 'none' then return end
    if not bound then
      local first = pieceKey(name, '-inf')
      if typeOf(bounds) ~= 'none' or typeOf(first) ~= 'none' then return end
      redis.call('RENAME', whole, first)
      redis.call('HSET', whole, 'size', #rows / 2)
      redis.call('ZADD', bounds, '-inf', '-inf')
      types[whole], key = 'hash', first
    end
    redis.call('ZADD', bounds, cutAt, cutAt)
    addAll(pieceKey(name, cutAt), rows, from)
    if from <= #rows then redis.call('ZREMRANGEBYSCORE', key, cutAt, '+inf') end
  end

  local function fold()
    local below = pieceKey(name, boundOf(name, '(' .. bound))
    if not is(below, 'zset') then return end
    local left = redis.call('ZCARD', key)
    if left > 0 and left + redis.call('ZCARD', below) > FULL - SPARSE then return end
    addAll(below, redis.call('ZRANGE', key, 0, -1, 'WITHSCORES'), 1)
    redis.call('DEL', key)
    redis.call('ZREM', bounds, bound)
    if redis.call('ZCARD', bounds) > 1 then return end
    redis.call('DEL', bounds, whole)
    if redis.call('EXISTS', below) == 1 then redis.call('RENAME', below, whole) end
    types[whole], types[bounds] = 'zset', 'none'
  end

  spots[name] = nil
  if how == 'cut' then cut() else fold() end
end

local function join(name, score, id)
  local bound = spot(name, score)
  looks = looks + 1
  if looks % LOOK == 0 and redis.call('ZCARD', bound and pieceKey(name, bound) or prefix .. 'ix:' .. name) >= FULL then
    reshape('cut', name, bound, score)
    bound = spot(name, score)
  end
  if not bound then
    redis.call('ZADD', prefix .. 'ix:' .. name, score, id)
  elseif redis.call('ZADD', pieceKey(name, bound), score, id) == 1 then
    redis.call('HINCRBY', prefix .. 'ix:' .. name, 'size', 1)
  end
end

local function leave(name, score, id)
  local bound = spot(name, score)
  if not bound then
    redis.call('ZREM', prefix .. 'ix:' .. name, id)
  elseif redis.call('ZREM', pieceKey(name, bound), id) == 1 then
    redis.call('HINCRBY', prefix .. 'ix:' .. name, 'size', -1)
    if bound ~= '-inf' and redis.call('ZCARD', pieceKey(name, bound)) <= SPARSE then reshape('fold', name, bound) end
  end
end

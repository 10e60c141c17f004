--[[
Where an index is: the head of the scripts that read or write one. ARGV 1 is their shard's key prefix.

`ix:<name>` is the sorted set of the members while they are few. Redis lets a small sorted set rest in a few bytes a member
and a large one in more than a hundred, so an index that grows is kept in pieces: `ix:<name>` is a hash then, of the `size`
of all, `bounds:<name>` the sorted set of the pieces' bounds, '-inf' first, and `piece:<bound>:<name>` holds the members
from its bound up to the next. Members of one score are never parted.
]]
local prefix = ARGV[1]

-- The highest bound that is not above a score ('(5': that is below 5).
local function boundOf(name, score)
  return redis.call('ZREVRANGEBYSCORE', prefix .. 'bounds:' .. name, score, '-inf', 'LIMIT', 0, 1)[1]
end

local function pieceKey(name, bound) return prefix .. 'piece:' .. bound .. ':' .. name end

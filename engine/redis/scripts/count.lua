--[[
How many instances stand in an index.

KEYS  1 the index
REPLY number
]]
local parted = redis.call('TYPE', KEYS[1])['ok'] == 'hash'
return parted and tonumber(redis.call('HGET', KEYS[1], 'size')) or redis.call('ZCARD', KEYS[1])

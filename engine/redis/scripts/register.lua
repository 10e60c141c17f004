--[[
Puts an instance under a correlation key and reads the signals that waited for the key.

KEYS  1 set of instances under the key  2 hash of parked signals under the key
ARGV  1 instance id
REPLY { signal id, body, signal id, body ... }
]]
redis.call('SADD', KEYS[1], ARGV[1])
return redis.call('HGETALL', KEYS[2])

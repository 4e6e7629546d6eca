-- Keys kept:<first> to kept:<last> of several types. ARGV: write or read, first, last. Answers how many there are and a digest of them.
local seen, count = {}, 0
for number = tonumber(ARGV[2]), tonumber(ARGV[3]) do
    local key, kind = 'kept:' .. number, number % 4
    if ARGV[1] == 'write' then
        if kind == 0 then
            redis.call('HSET', key, 'number', number, 'text', 'of ' .. number)
        elseif kind == 1 then
            redis.call('RPUSH', key, number, 'after ' .. number)
        elseif kind == 2 then
            redis.call('SET', key, 'value ' .. number, 'EX', 1000000)
        else
            redis.call('SET', key, string.rep(number .. ' ', 20))
        end
    end
    local type, value = redis.call('TYPE', key).ok, ''
    if type == 'hash' then
        value = table.concat(redis.call('HMGET', key, 'number', 'text'), ',')
    elseif type == 'list' then
        value = table.concat(redis.call('LRANGE', key, 0, -1), ',')
    elseif type == 'string' then
        value = redis.call('GET', key)
    end
    if type ~= 'none' then
        count = count + 1
    end
    local ends = redis.call('TTL', key) > 0 and 'ends' or 'stays'
    seen[#seen + 1] = key .. ' ' .. type .. ' ' .. ends .. ' ' .. value
end
return count .. ' ' .. redis.sha1hex(table.concat(seen, '\n'))

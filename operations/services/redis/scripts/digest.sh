# shellcheck shell=bash
# What redis at $address (host:port) holds: the number of keys that do not expire, and a sum over their names and contents that
# does not depend on their order. $login: the commands that log in. Asked in small steps, so that nobody has to wait.
#include services/redis/client.sh

# what a script of redis' own makes of one step of SCAN: the next cursor, keys, sum
# shellcheck disable=SC2016 # Lua
REDIS_DIGEST='local step = redis.call("SCAN", ARGV[1], "COUNT", 500)
local keys, sum = 0, 0
for _, key in ipairs(step[2]) do
    if redis.call("PTTL", key) == -1 then
        local kind = redis.call("TYPE", key).ok
        local parts = {key, kind}
        if kind == "string" then parts[3] = redis.call("GET", key)
        elseif kind == "list" then for _, v in ipairs(redis.call("LRANGE", key, 0, -1)) do parts[#parts + 1] = v end
        elseif kind == "set" then
            local all = redis.call("SMEMBERS", key)
            table.sort(all)
            for _, v in ipairs(all) do parts[#parts + 1] = v end
        elseif kind == "zset" then for _, v in ipairs(redis.call("ZRANGE", key, 0, -1, "WITHSCORES")) do parts[#parts + 1] = v end
        elseif kind == "hash" then
            local all, pairs_ = redis.call("HGETALL", key), {}
            for i = 1, #all, 2 do pairs_[#pairs_ + 1] = all[i] .. "=" .. all[i + 1] end
            table.sort(pairs_)
            for _, v in ipairs(pairs_) do parts[#parts + 1] = v end
        elseif kind == "stream" then parts[3] = tostring(redis.call("XLEN", key))
        end
        keys = keys + 1
        sum = (sum + tonumber(string.sub(redis.sha1hex(table.concat(parts, ";")), 1, 12), 16)) % 281474976710656
    end
end
return {step[1], keys, string.format("%.0f", sum)}'

redis_digest() {
    local db cursor keys sum step total=0 digest=0 dbs
    dbs=$({ printf '%s' "$login" && printf 'INFO keyspace\r\nQUIT\r\n'; } | redis_say "$address" |
        sed -n 's/^db\([0-9]*\):.*/\1/p') || return 1
    for db in $dbs; do
        cursor=0
        while :; do
            step=$({
                printf '%sSELECT %s\r\n' "$login" "$db"
                # shellcheck disable=SC2016 # the protocol's own signs
                printf '*4\r\n$7\r\nEVAL_RO\r\n$%s\r\n%s\r\n$1\r\n0\r\n$%s\r\n%s\r\n' "${#REDIS_DIGEST}" "$REDIS_DIGEST" "${#cursor}" "$cursor"
                printf 'QUIT\r\n'
            } | redis_say "$address" | tr -d '\r' | awk '
                /^\*3$/ { at = 1; next }
                at && /^\$/ { next }
                at == 1 { cursor = $0; at = 2; next }
                at == 2 { keys = substr($0, 2); at = 3; next }
                at == 3 { print cursor, keys, $0; exit }')
            # shellcheck disable=SC2086
            set -- $step
            [ $# -eq 3 ] || return 1
            cursor=$1 keys=$2 sum=$3
            total=$((total + keys)) digest=$(((digest + sum) % 281474976710656))
            [ "$cursor" != 0 ] || break
        done
    done
    echo "$total keys, digest $(printf '%012x' "$digest")"
}

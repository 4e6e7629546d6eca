# shellcheck shell=sh
# Containers of this host that are none of the project $project and can reach its redis, the service $server: in a network of its, or
# by a port that it publishes. Of those that hold the password which it accepts now, or are logged in: a JSON list each of project, name,
# the places that hold it, and whether it is logged in; one that reads the stack's own files gets the new password by itself.
# $root, $users, $password_file: as ask.sh has them.

#include services/redis/login.sh

found=$(server_container) || exit 1
container=${found% *} address=${found#* }:6379
redis_login "$container" "$address" || exit 0
connected=$(redis_command CLIENT LIST | sed -n 's/.* addr=\([^ ]*\):[0-9]* .*/\1/p' | sort -u)
# a short one stands in much else; and of a redis that wants none nobody holds any
case $(printf 'PING\r\nQUIT\r\n' | redis_say "$address") in +PONG*) password= ;; esac
[ ${#password} -ge 6 ] || password=
{
    printf '%s' "$password" | jq -Rs .
    docker ps --quiet --no-trunc | xargs docker inspect
} | jq -nca --arg redis "$container" --arg project "$project" --arg connected "$connected" --arg root "$root" '
    input as $password | input as $all
    | ($all[] | select(.Id == $redis)) as $redis
    | [$redis.NetworkSettings.Networks[]?.NetworkID] as $networks
    | ($redis.HostConfig.NetworkMode == "host" or any($redis.NetworkSettings.Ports[]?; . != null)) as $open
    | ($connected | split("\n")) as $connected
    | $all[] | select(.Config.Labels["com.docker.compose.project"] != $project)
    | select($open or any(.NetworkSettings.Networks[]?.NetworkID; IN($networks[])))
    | [
        .Config.Labels["com.docker.compose.project"] // "",
        .Config.Labels["com.docker.compose.service"] // .Name[1:],
        (if $password == "" then [] else
            [(.Config.Env[]? | select(contains($password)) | sub("=.*"; ""; "m")),
             (if any((.Config.Cmd // [])[], (.Config.Entrypoint // [])[]; contains($password)) then "its command" else empty end)][:9] end),
        (any(.NetworkSettings.Networks[]?.IPAddress; . != "" and IN($connected[]))
            and all(.Mounts[]?.Source // "" | . + "/"; startswith($root + "/env/") or startswith($root + "/secrets/") or . == $root + "/" | not))
    ] | select(.[2] != [] or .[3])'

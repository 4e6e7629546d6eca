#include lib/containers.sh
#include lib/patience.sh
#bash lib/websocket.bash

# What it prints is a number or one of its own words, whatever it was told.
probe() {
    ask() { "ask_$kind"; }
    patiently
    [ -z "$answer" ] || printf '%s\n' "$answer"
}

# its status
ask_http() {
    answer=$(curl --silent --output /dev/null --max-time 5 --write-out '%{http_code}' --globoff -- "$target")
    case $answer in 000) ;; [0-9][0-9][0-9]) echo "$answer" ;; esac
}

# `open`
ask_tcp() {
    name=${target%:*}
    name=${name#[} # an IPv6 address stands in brackets
    if timeout 5 bash -c 'exec 3<>"/dev/tcp/$1/$2"' tcp "${name%]}" "${target##*:}" 2>/dev/null; then echo open; fi
}

# `connected` when Socket.IO lets a client in
ask_websocket() {
    timeout 15 bash -c "$websocket_bash" websocket "$target" 2>/dev/null
}

# the words' exit status in the service's container
ask_command() {
    id=$(container) || return 0
    eval "set -- $target"
    timeout 20 docker exec "$id" "$@" >/dev/null 2>&1
    echo $?
}

# how many lines of its log match
ask_log() {
    id=$(container) || return 0
    count=$({ { timeout 10 docker logs --since "${window}s" "$id" 2>&1 || echo failed >&3; } | head -c 67108864 | LC_ALL=C grep -acE -e "$target"; } 3>&1)
    case $count in *[!0-9]*) ;; *) echo "$count" ;; esac
}

# the first of the service's containers that runs
container() {
    list_containers || return 1
    while read -r id name state _; do
        case "$name $state" in
        "$service running" | "$service paused" | "$service restarting") echo "$id" && return ;;
        esac
    done <<END
$fleet_lines
END
    return 1
}

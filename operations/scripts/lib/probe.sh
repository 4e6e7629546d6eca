# shellcheck shell=bash
#include lib/containers.sh
#include lib/patience.sh

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
    if timeout 5 bash -c 'exec 3<>"/dev/tcp/$1/$2"' tcp "$(host_of "$target")" "${target##*:}" 2>/dev/null; then echo open; fi
}

# `connected` when Socket.IO lets a client in
ask_websocket() {
    timeout 15 bash -c "$(declare -f websocket host_of); websocket \"\$1\"" websocket "$target" 2>/dev/null
}

# a client's first words; what the server says ends with a brace each time
# Source: https://socket.io/docs/v4/engine-io-protocol/ and https://socket.io/docs/v4/socket-io-protocol/
websocket() {
    local rest=${1#*://} place path said
    place=${rest%%/*} path=/${rest#*/}
    case ${place##*]} in *:*) ;; *) place=$place:80 ;; esac
    exec 3<>"/dev/tcp/$(host_of "$place")/${place##*:}" || return 0
    printf 'GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' "$path" "$place" >&3
    printf 'Sec-WebSocket-Key: cHlpbmZyYS1jb21wb3NlIQ==\r\n\r\n' >&3
    IFS= read -r -t 5 -n 8192 -d '}' said <&3
    case $said in
    *"101 "*'0{"sid"'*) ;;
    HTTP/*)
        said=${said#* }
        case ${said%% *} in [0-9][0-9][0-9]) echo "refused with ${said%% *}" ;; esac
        return
        ;;
    *) return ;;
    esac
    # `40`, connect to the main namespace, in a frame whose mask is zero
    printf '\x81\x82\x00\x00\x00\x0040' >&3
    IFS= read -r -t 5 -n 8192 -d '}' said <&3
    case $said in *'40{"sid"'*) echo connected ;; *) echo "opened and refused" ;; esac
}

# of host:port, where an IPv6 address stands in brackets
host_of() {
    local name=${1%:*}
    name=${name#[}
    echo "${name%]}"
}

# the words' exit status in the service's container
ask_command() {
    local id
    id=$(container) || return 0
    eval "set -- $target"
    timeout 20 docker exec "$id" "$@" >/dev/null 2>&1
    echo $?
}

# how many lines of its log match
ask_log() {
    local id count
    id=$(container) || return 0
    count=$(
        timeout 10 docker logs --since "${window}s" "$id" 2>&1 | LC_ALL=C grep -acE -e "$target"
        exit "${PIPESTATUS[0]}"
    ) && echo "$count"
}

# the first of the service's containers that runs
container() {
    local list id name state
    list=$(containers_of) || return 1
    while read -r id name state _; do
        case "$name $state" in
        "$service running" | "$service paused" | "$service restarting") echo "$id" && return ;;
        esac
    done < <(printf '%s\n' "$list")
    return 1
}

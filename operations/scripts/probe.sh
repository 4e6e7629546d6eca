# shellcheck shell=bash
# One declared check, asked from the host itself; asked again for $1 seconds until there is an answer.
#   probe <seconds> http <url>                       its status
#   probe <seconds> websocket <url>                  `connected` when Socket.IO lets a client in
#   probe <seconds> tcp <host:port>                  `open`
#   probe <seconds> command <project> <service> …    the exit status of the words in the service's container
#   probe <seconds> log <project> <service> <s> <p>  how many lines of its log of the last s seconds match p

patience=$1 kind=$2
shift 2

container() {
    docker ps --quiet --filter "label=com.docker.compose.project=$1" --filter "label=com.docker.compose.service=$2" | head -n 1
}

# of host:port, where an IPv6 address stands in brackets
host_of() {
    echo "${1%:*}" | tr -d '[]'
}

# a Socket.IO client's first words; what the server says ends with a brace each time
# Source: https://socket.io/docs/v4/engine-io-protocol/ and https://socket.io/docs/v4/socket-io-protocol/
websocket() {
    local rest=${1#*://} place path said
    place=${rest%%/*} path=/${rest#*/}
    case ${place##*]} in *:*) ;; *) place=$place:80 ;; esac
    exec 3<>"/dev/tcp/$(host_of "$place")/${place##*:}" || return 0
    printf 'GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' "$path" "$place" >&3
    printf 'Sec-WebSocket-Key: cHlpbmZyYS1jb21wb3NlIQ==\r\n\r\n' >&3
    IFS= read -r -t 5 -d '}' said <&3 2>/dev/null
    case $said in
    *"101 "*'0{"sid"'*) ;;
    HTTP/*)
        said=${said#* }
        echo "refused with ${said%% *}"
        return
        ;;
    *) return ;;
    esac
    # `40`, connect to the main namespace, in a frame whose mask is zero
    printf '\x81\x82\x00\x00\x00\x0040' >&3
    IFS= read -r -t 5 -d '}' said <&3 2>/dev/null
    case $said in *'40{"sid"'*) echo connected ;; *) echo "opened and refused" ;; esac
}

ask() {
    case $kind in
    http)
        status=$(curl --silent --output /dev/null --max-time 5 --write-out '%{http_code}' --globoff -- "$1")
        [ "$status" = 000 ] || echo "$status"
        ;;
    websocket) websocket "$1" 2>/dev/null ;;
    tcp)
        # shellcheck disable=SC2016 # the inner shell's own words
        if timeout 5 bash -c 'exec 3<>"/dev/tcp/$1/$2"' tcp "$(host_of "$1")" "${1##*:}" 2>/dev/null; then echo open; fi
        ;;
    command)
        id=$(container "$1" "$2")
        [ -n "$id" ] || return 0
        shift 2
        timeout 20 docker exec "$id" "$@" >/dev/null 2>&1
        echo $?
        ;;
    log)
        id=$(container "$1" "$2")
        [ -n "$id" ] || return 0
        docker logs --since "$3s" "$id" 2>&1 | grep -cE -e "$4"
        ;;
    esac
}

#include patience.sh

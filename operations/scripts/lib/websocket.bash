# shellcheck shell=bash
# Whether Socket.IO lets a client in at the URL $1: `connected`; `refused with <status>`, `opened and refused`, or nothing. A client's
# first words; what the server says ends with a brace each time.
# Source: https://socket.io/docs/v4/engine-io-protocol/ and https://socket.io/docs/v4/socket-io-protocol/

rest=${1#*://}
place=${rest%%/*} path=/${rest#*/}
case ${place##*]} in *:*) ;; *) place=$place:80 ;; esac
name=${place%:*}
name=${name#[} # an IPv6 address stands in brackets
exec 3<>"/dev/tcp/${name%]}/${place##*:}" || exit 0
printf 'GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' "$path" "$place" >&3
printf 'Sec-WebSocket-Key: cHlpbmZyYS1jb21wb3NlIQ==\r\n\r\n' >&3
IFS= read -r -t 5 -n 8192 -d '}' said <&3
case $said in
*"101 "*'0{"sid"'*) ;;
HTTP/*)
    said=${said#* }
    case ${said%% *} in [0-9][0-9][0-9]) echo "refused with ${said%% *}" ;; esac
    exit
    ;;
*) exit ;;
esac
# `40`, connect to the main namespace, in a frame whose mask is zero
printf '\x81\x82\x00\x00\x00\x0040' >&3
IFS= read -r -t 5 -n 8192 -d '}' said <&3
case $said in *'40{"sid"'*) echo connected ;; *) echo "opened and refused" ;; esac

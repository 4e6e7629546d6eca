# shellcheck shell=bash
# Open WebUI lets a WebSocket client in.
exec 3<>/dev/tcp/127.0.0.1/8080
printf 'GET /ws/socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' >&3
printf 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: cHlpbmZyYS1jb21wb3NlIQ==\r\n\r\n' >&3
IFS= read -r -t 5 -d '}' said <&3
case $said in *"101 "*'0{"sid"'*) ;; *) exit 1 ;; esac

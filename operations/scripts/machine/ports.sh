# shellcheck shell=sh
# Who else listens on the TCP ports $ports (separated by blanks) of this host: a line each: port, address as /proc/net/tcp has it,
# process id, and its name as base64; 0 and nothing where that may not be seen. Those that containers of the project
# $project publish are left out.

wanted=
for port in $ports; do
    case "$fleet_lines
" in *":$port,"* | *":$port
"*) ;; *) wanted="$wanted $port" ;; esac
done
[ -n "$wanted" ] || exit 0
listening=$(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v ports="$wanted" '
    BEGIN { for (n = split(ports, port, " "); n; n--) wanted[sprintf("%04X", port[n])] = port[n] }
    $4 == "0A" { split($2, place, ":"); if (place[2] in wanted) print wanted[place[2]], place[1], $10 }')
[ -n "$listening" ] || exit 0
# which process has which socket
sockets=$(timeout 10 find /proc/[0-9]*/fd -type l -exec ls -l {} + 2>/dev/null |
    sed -n 's#^[^/]* /proc/\([0-9]*\)/fd/[0-9]* -> socket:\[\([0-9]*\)\]$#\2 \1#p')
printf '%s\n' "$listening" | while read -r port address inode; do
    process=$(printf '%s\n' "$sockets" | sed -n "s/^$inode //p" | head -n 1)
    name=
    [ -z "$process" ] || IFS= read -r name <"/proc/$process/comm"
    if [ "$name" = docker-proxy ]; then
        # of the project $project itself, or of none that runs: one that restarts ended or came since the containers were listed
        container=$(docker ps --filter "publish=$port" --format '{{.Label "com.docker.compose.project"}} {{.Names}}' | head -n 1)
        case $container in "" | "$project "*) continue ;; esac
        name="container ${container#* }"
    fi
    printf '%s %s %s %s\n' "$port" "$address" "${process:-0}" "$(printf %s "$name" | base64 -w 0)"
done

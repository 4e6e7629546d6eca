# shellcheck shell=sh
# The services of the Compose project $project, besides $server, whose containers answer as redis does, a line each. They are asked
# without a password.

#include services/redis/client.sh

list_containers || exit 1
printf '%s\n' "$fleet_lines" | while read -r _ service state address _; do
    [ "$state" = running ] && [ "$address" != - ] && [ "$service" != "$server" ] || continue
    case $(printf 'PING\r\nQUIT\r\n' | redis_say "$address:6379" | head -c 16 | tr -d '\0') in
    +PONG* | -NOAUTH* | -LOADING* | -DENIED* | -MASTERDOWN* | -MISCONF*) echo "$service" ;;
    esac
done | sort -u

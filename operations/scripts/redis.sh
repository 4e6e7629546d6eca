# shellcheck shell=sh
# Asks redis of the stack in folder $1, project $2, over its own address. The password goes through a pipe, never into an argv.

container=$(docker ps --quiet --filter "label=com.docker.compose.project=$2" \
    --filter label=com.docker.compose.service=redis --filter status=running | head -n 1)
[ -n "$container" ] || exit 1
address=$(docker inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}' "$container")
address=${address%% *}

password=$(cat -- "$1/secrets/redis/password" 2>/dev/null)
{
    printf 'PING\r\n'
    # shellcheck disable=SC2016 # redis' protocol, not a variable
    printf '*2\r\n$4\r\nAUTH\r\n$%s\r\n%s\r\n' "${#password}" "$password"
    printf 'PING\r\nCONFIG GET dir\r\nACL GETUSER default\r\nQUIT\r\n'
} | curl --silent --max-time 5 "telnet://$address:6379"

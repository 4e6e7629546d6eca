# shellcheck shell=sh
# Has the running redis of the stack in folder $1, project $2, read its ACL file again. A redis that does not run reads it when it starts.

container=$(docker ps --quiet --filter "label=com.docker.compose.project=$2" \
    --filter label=com.docker.compose.service=redis --filter status=running | head -n 1)
[ -n "$container" ] || exit 0
address=$(docker inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}' "$container")
address=${address%% *}

password=$(cat -- "$1/secrets/redis/password" 2>/dev/null)
answer=$({
    # shellcheck disable=SC2016 # redis' protocol, not a variable
    printf '*2\r\n$4\r\nAUTH\r\n$%s\r\n%s\r\n' "${#password}" "$password"
    printf 'ACL LOAD\r\nQUIT\r\n'
} | curl --silent --max-time 10 "telnet://$address:6379" | tr -d '\r')

case $answer in
"+OK
+OK
+OK"*) exit 0 ;;
esac
{
    echo "redis did not read its ACL file again: it answered \"$(echo "$answer" | grep '^-' | head -n 1)\"."
    echo "The file $1/secrets/redis/users.acl is as wanted; run \`docker compose restart redis\` in $1, then the deploy again."
} >&2
exit 1

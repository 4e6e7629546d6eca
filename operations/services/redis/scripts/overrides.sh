# shellcheck shell=sh
# Environment variables of containers of the project $project that hold a password of redis, and so override the secret that they
# have as the file $path: a JSON list of service and name each. $server: the service that is redis.

ids=$(curl --silent --fail --max-time 10 --unix-socket "$docker_socket" --get --data-urlencode all=true \
    --data-urlencode "filters={\"label\":[\"com.docker.compose.project=$project\",\"com.docker.compose.oneoff=False\"]}" \
    http://docker/containers/json | jq --raw-output --arg path "$path" --arg server "$server" '
        .[] | select(any(.Mounts[]?; .Source == $path) and .Labels["com.docker.compose.service"] != $server) | .Id') || exit 1
for id in $ids; do
    curl --silent --fail --max-time 10 --unix-socket "$docker_socket" "http://docker/containers/$id/json"
done | jq --ascii-output --compact-output '
    .Config as $config | $config.Env[]? | capture("^(?<name>[^=]*)=(?<value>.*)$"; "m")
    | select(.value != "" and (.name | test("_FILE$") | not)
        and ((.name | test("(REDIS|VALKEY).*PASS")) or (.value | test("^(redis|valkey)s?://[^@]*:[^@]+@"))))
    | [$config.Labels["com.docker.compose.service"], .name]'

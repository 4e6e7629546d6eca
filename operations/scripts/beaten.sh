# shellcheck shell=sh
# Environment variables of containers that hold a password of redis, and so beat the secret that they have as a file: service, tab,
# name. $1: the Compose project; $2: the file's path.

#include containers_of.sh

list=$(containers_of "$1") || exit 1
json=$(
    cat <<'AWK'
#include json.awk
AWK
)
printf '%s\n' "$list" | awk -F '\t' -v path="$2>" 'index($8, path) && $2 != "redis" { print $1, $2 }' | while read -r id service; do
    curl --silent --fail --max-time 10 --unix-socket /var/run/docker.sock "http://docker/containers/$id/json" |
        awk -v service="$service" "$json"'
            function leaf(path, value,   name) {
                if (path !~ /^\/Config\/Env\//) return
                name = value
                sub(/=.*/, "", name)
                sub(/^[^=]*=/, "", value)
                if (name ~ /_FILE$/ || value == "") return
                if (name ~ /(REDIS|VALKEY).*PASS/ || value ~ /^rediss?:\/\/[^@]*:[^@]+@/) print service "\t" name
            }
            function finish() {}'
done

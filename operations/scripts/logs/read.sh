# shellcheck shell=sh
# What the services of the Compose project $project complain about, as JSON: of each container its service, when it was started, how
# many lines since then tell of a refused login (that $refused fits), and its last lines of the last $window seconds that tell of an error, with
# secrets masked. $harmless: a regular expression of lines that do not count.

#include lib/containers.sh
#include lib/mask.sh
#awk lib/logs.awk

list_containers || exit 1
export LC_ALL=C
ids=
set --
while read -r id _ state _; do
    case $state in running | paused | restarting) ;; *) continue ;; esac
    ids="$ids $id"
    set -- "$@" --output /dev/fd/5 "http://docker/containers/$id/json" \
        --output - "http://docker/containers/$id/logs?stdout=1&stderr=1&timestamps=1&tail=2000"
done <<END
$fleet_lines
END

# one curl, whose start costs more than what it asks: descriptions go to jq, and logs through awk
{
    [ -z "$ids" ] || found=$(
        timeout 30 curl --silent --fail --unix-socket "$docker_socket" --write-out '\n#%{http_code}\n' "$@" | tr '\0' '\1' |
            refused=$refused harmless=$harmless awk -v ids="$ids" -v window="$(date -u -d "@$(($(date +%s) - window))" +%Y-%m-%dT%H:%M:%S)" "$logs_awk"
    ) || exit 1
    [ -z "$found" ] || printf '%s\n' "$found" | masked '
        { at = index($0, " error ") + 27; text = at > 27 && at < 110 ? substr(mask(substr($0, at)), 1, 300) : "" }
        { gsub(/["\\]/, "\\\\&", text); printf "[\"%s\",\"%s\",\"%s\",\"%s\"]\n", $1, $2, $3, text }'
    echo '"end"'
} 5>&1 | jq --slurp --ascii-output --compact-output '
    map(arrays) as $said | if .[-1] != "end" or ($said | any(.[0] == "cut")) then error("cut off") else map(objects) end
    | map(. as $one | .State.StartedAt[:19] as $started | [$said[] | select(.[0] == $one.Id and .[2] >= $started)] | {
        service: $one.Config.Labels["com.docker.compose.service"], started: $started, running: ($one.State.Status == "running"),
        refused: (map(select(.[1] == "auth")) | length), errors: (map(select(.[1] == "error") | .[2:])[-20:])
    })'

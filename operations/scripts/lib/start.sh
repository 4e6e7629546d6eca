#include lib/clock.sh
#include lib/health.sh

# Starts the containers that Compose has made of the services given, and returns as soon as they are well. Compose itself looks twice a
# second, once for each link of a chain of dependencies and once more for --wait; Docker tells of it at once.
# Fails with 1 where one of them does not come up, told at the end of $said; with 2, and nothing begun, where something that they
# depend on is not as it should be, which is Compose's to see to.
start_made() {
    # shellcheck disable=SC2016 # awk's own
    due=$(listed --all --no-trunc --filter label=com.docker.compose.oneoff=False --format \
        '{{.Label "com.docker.compose.service"}}|{{.ID}}|{{.Names}}|{{.State}}|{{.Label "com.docker.compose.depends_on"}}|{{.Status}}' |
        awk -F '|' -v given="$*" -v well="$well" '
            BEGIN { for (n = split(given, name, " "); n; n--) wanted[name[n]] = 1 }
            $4 == "running" { met[$1, "service_started"] = 1 }
            $4 == "running" && ($6 ~ /\(healthy\)/ || index(well, $2)) { met[$1, "service_healthy"] = 1 }
            $6 ~ /^Exited \(0\)/ { met[$1, "service_completed_successfully"] = 1 }
            $1 in wanted { print $2, $3, $4; needs = needs "," $5 }
            END {
                for (n = split(needs, need, ","); n; n--) {
                    split(need[n], part, ":")
                    if (need[n] != "" && !((part[1], part[2]) in met)) exit 2
                }
            }') || return 2
    [ -n "$due" ] || return 2
    # what it has made beside them is its to start
    [ -n "$fresh" ] || for name in $(printf '%s\n' "$said" | sed -n 's/^ *Container \([^ ]*\)  *\(Created\|Recreated\)$/\1/p'); do
        printf '%s\n' "$due" | grep -qF " $name " || return 2
    done
    ids=$(printf '%s\n' "$due" | cut -d ' ' -f 1)
    until=$(($(date +%s) + seconds))
    rm -f .fleet/events && mkfifo .fleet/events || return 2
    docker events --since $(($(date +%s) - 1)) --until $until --filter type=container --filter event=health_status \
        --filter event=die --filter "label=com.docker.compose.project=$project" --format '{{.Action}}' \
        </dev/null >.fleet/events 2>/dev/null 8<&- 9>&- &
    watcher=$!
    exec 8<.fleet/events
    rm .fleet/events
    said="$said
$(printf '%s\n' "$due" | {
        while read -r id name state; do
            [ "$state" = running ] || { docker start "$id" 2>&1 >/dev/null && echo " Container $name  Started"; } &
        done
        wait
    })"
    clock
    began=$ms
    await_made
    status=$?
    kill $watcher 2>/dev/null
    watcher=
    exec 8<&-
    return $status
}

# those that were found to be well before Docker asked them
well=

# until all of $ids are well, or one is not, or the time is over
await_made() {
    # shellcheck disable=SC2086 # one word each
    late=$(asked_late $ids)
    while :; do
        for id in $late; do
            case $well in *"$id"*) ;; *) if is_healthy "$id"; then well="$well $id"; fi ;; esac
        done
        # by jq: a template of docker's fails on a container without health that never ran
        # shellcheck disable=SC2086
        states=$(docker inspect $ids | jq --raw-output --arg well "$well" '.[] | .Id as $id | (.State.Health.Status // "none") as $health
            | "\(.Name) \(.State.Status) \(if $health == "starting" and ($well | contains($id)) then "healthy" else $health end)"')
        case "$states " in
        *" running unhealthy"* | *" exited "* | *" dead "* | *" created "*)
            said="$said
$(printf '%s\n' "$states" | sed -n 's#^/\(.*\) running unhealthy$#container \1 is unhealthy#p; s#^/\(.*\) \(exited\|dead\|created\) .*#container \1 failed: it is \2#p')"
            return 1
            ;;
        " ") sleep 0.2 ;; # Docker does not answer: it may be restarting
        *" restarting "*)
            # only its end is told, not that it runs again
            clock
            began=$ms
            sleep 0.2
            ;;
        *" starting"*) if [ -n "$late" ]; then sleep 0.5; else read -r _ <&8 || sleep 0.2; fi ;;
        *" none"*)
            # nothing but that it goes on running tells that it is well
            clock
            left=$((500 - ms + began))
            [ $left -gt 0 ] || return 0
            sleep "$(printf '0.%03d' $left)"
            continue
            ;;
        *) return 0 ;;
        esac
        [ "$(date +%s)" -lt $until ] || return 1
    done
}

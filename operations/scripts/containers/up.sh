# shellcheck shell=sh
# Starts services of the stack in folder $root, Compose project $project, tier by tier, and awaits each tier for $seconds.
#   $removed           services that go first
#   $removed_files     their env files, which the next change of a password would not reach, and which the backup has
#   $tiers             a tier a line: services, separated by blanks
#   $rolling           of these, `<service>=<n>`: replaced by starting n new containers beside the old ones
#   $recreate          of these: replaced whatever Compose thinks
#   $restart           of these: the container is kept
#   $resting           services that are at rest meanwhile
#   $doubt             whether services that are not to be started could be recreated together with them
#   $starter           docker, or compose where only that can start them
#   $before            what is run before services are replaced; it finds their names in $plain
#   $after             what is run when they are up, before those that depend on them start
#   $inputs            the files that Compose reads the definitions from
#   $digest            of these when Compose described the $described project, as JSON; nothing: they are as they are
#   $own               what Compose said of the project's own files, as JSON
#   $version           of Compose
#   $services          service -> {definition, file}, as JSON: its hash as Compose gives it, and its env file
#   $masks             texts to mask in whatever is printed, one a line
# At the end .fleet/applied.json tells what runs now, for which definition and env file.

#include lib/mutex.sh
#include lib/mask.sh
#include lib/compose_plugin.sh
#include lib/dependencies.sh
#include lib/clock.sh
#include lib/start.sh
cd -- "$root" || exit 1
umask 077
take_mutex

# whether the line $2 is among the lines $1
among() {
    case "
$1
" in *"
$2
"*) return 0 ;; esac
    return 1
}

# `docker ps` of the project alone
listed() {
    docker ps "$@" --filter "label=com.docker.compose.project=$project"
}

# those of a service, in whatever state; with further `docker ps` words
containers() {
    of=$1
    shift
    listed --all --quiet --no-trunc --filter "label=com.docker.compose.service=$of" --filter label=com.docker.compose.oneoff=False "$@"
}

running() {
    listed --quiet --filter "label=com.docker.compose.service=$1" --filter label=com.docker.compose.oneoff=False
}

# why a service did not come up: its state, what its healthcheck last said, its last words
explain() {
    # the newest one is first
    id=$(containers "$1" | head -n 1)
    if [ -z "$id" ]; then
        echo "$1: no container was created."
        return
    fi
    state=$(docker inspect --format '{{.State.Status}}{{if .State.Health}}, {{.State.Health.Status}}{{end}}{{if .State.ExitCode}}, exit code {{.State.ExitCode}}{{end}}' "$id")
    # a template fails on health that there never was
    [ -n "$state" ] || state=$(docker inspect --format '{{.State.Status}}, exit code {{.State.ExitCode}}' "$id")
    case $state in "running" | "running, healthy") return ;; esac
    clock
    waited=
    [ $((ms - since)) -lt $((seconds * 1000)) ] || waited=" in $seconds s"
    echo "$1: did not come up$waited; it is $state."
    docker inspect --format '{{if .State.Health}}{{range .State.Health.Log}}{{.Output}}{{end}}{{end}}' "$id" | tail -n 3 | sed "s/^/$1: last health output: /"
    docker logs --tail 10 "$id" 2>&1 | sed "s/^/$1: log: /"
}

# where the inputs name further files, what Compose said does not hold until they change
sums=$(printf '%s\n' "$inputs" | while IFS= read -r file; do
    ! grep -Eqs '(^|[^[:alnum:]_-])(include|extends|label_file)([^[:alnum:]_-]?:([[:space:]]|$)|":)' "$file" || echo open
    sha256sum -- "$file" 2>/dev/null || echo
done)
case "
$sums" in *"
open
"*) described=null ;; esac
inputs=$(printf '%s\n' "$sums" | sed '/^open$/d' | sha256sum | cut -d ' ' -f 1)
[ "${digest:=$inputs}" = "$inputs" ] || doubt=yes # somebody has changed one since

# .fleet/applied.json is replaced as a whole: a crash leaves the old one or the new one
save_applied() {
    mkdir -p .fleet && next=$(mktemp .fleet-new.XXXXXXXXXX) && cat >"$next" && jq -e .services "$next" >/dev/null &&
        sync "$next" && mv -fT "$next" .fleet/applied.json && sync .fleet
}

# services that are no longer in the stack go before the others come; one that cannot be stopped stays known, so that the next run tries again
for service in $removed; do
    for id in $(containers "$service"); do
        if ! said=$({ docker stop "$id" && docker rm "$id"; } 2>&1 >/dev/null); then
            { jq 'objects' .fleet/applied.json 2>/dev/null || echo '{}'; } |
                jq -nc --arg service "$service" '{inputs: ""} + (first(inputs) // {}) | .services[$service] += {}' | save_applied
            echo "$service is no longer in the stack, but its container could not be removed; nothing was started. Docker says:" \
                "$(printf '%s\n' "$said" | masked | tail -n 3)" >&2
            exit 1
        fi
        echo "removed $service"
    done
done
printf '%s\n' "$removed_files" | while IFS= read -r file; do
    [ ! -f "$file" ] || { rm -- "$file" && echo "removed $file"; }
done

newline='
'
explained=
failed() {
    # of those that were started together, the ones that did not come up
    bad=$1 why=$explained
    if [ -z "$why" ]; then
        bad=
        for service in $1; do
            told=$(explain "$service")
            [ -z "$told" ] || { bad="$bad${bad:+, }$service" && why="$why${why:+$newline}$told"; }
        done
    fi
    {
        echo "${bad:-$1} did not start; services that depend on that were not started."
        printf '%s\n' "$said" | grep -Ei 'error|fail|denied|no such|not found|unhealthy' | tail -n 5
        printf '%s\n' "$why"
    } | masked >&2
    exit 1
}

# the containers of the project as they are now: id, service, state, and that in words
there=$(listed --all --no-trunc --format '{{.ID}} {{.Label "com.docker.compose.service"}} {{.State}} {{.Status}}') || exit 1

# what Compose gives up at once: those that are unhealthy already, as paused ones may be; what it cannot start: those
unhealthy=$(printf '%s\n' "$there" | awk '$3 == "paused" || /\(unhealthy\)$/')

# whether containers of a service run, and none was unhealthy or paused
is_well() {
    [ -n "$(running "$1")" ] && [ -z "$(printf '%s\n' "$unhealthy" | awk -v service="$1" '$2 == service')" ]
}

wake() {
    for service in "$@"; do
        for id in $(printf '%s\n' "$there" | awk -v service="$service" '$2 == service && $3 == "paused" { print $1 }'); do
            docker unpause "$id" >/dev/null
        done
    done
}

health() {
    docker inspect --format '{{if .State.Health}}{{.State.Health.Status}}{{end}}' "$1" 2>/dev/null
}

# An unhealthy container gets the time of one more check, because its files may just have been put right; then it is restarted.
# Fails where none of the services has one.
revive() {
    revived=
    for service in "$@"; do
        for id in $(containers "$service"); do
            case $unhealthy in *"$id"*) ;; *) continue ;; esac
            revived=yes
            [ "$(health "$id")" = unhealthy ] || continue
            # 30 s is Docker's own, which it tells as 0 or not at all
            until=$(($(date +%s) + $(docker inspect --format '{{json .Config.Healthcheck.Interval}} {{json .Config.Healthcheck.Timeout}}' "$id" |
                awk '{ print int((($1 + 0 ? $1 : 3e10) + ($2 + 0 ? $2 : 3e10)) / 1e9) + 1 }')))
            while [ "$(health "$id")" = unhealthy ]; do
                if [ "$(date +%s)" -ge $until ]; then
                    docker restart --time 30 "$id" >/dev/null && echo "restarted $service, which was unhealthy"
                    break
                fi
                sleep 0.5
            done
        done
    done
    [ -n "$revived" ]
}

# A second actor during a change rests. Not by `docker pause`: Compose would try to start what others depend on, and fail.
asleep=
for service in $resting; do
    asleep="$asleep $(printf '%s\n' "$there" | awk -v service="$service" '$2 == service && $3 == "running" { print $1 }')"
done
for id in $asleep; do docker kill --signal STOP "$id" >/dev/null; done
watcher=
trap 'for id in $asleep; do docker kill --signal CONT "$id" >/dev/null 2>&1; done; kill $watcher 2>/dev/null' EXIT
trap 'exit 1' HUP INT TERM

# a container that reads its password when it starts; how long nobody could log in is told
restart() {
    id=$(running "$1")
    clock
    since=$ms
    docker restart --time 30 "$id" >/dev/null || failed "$1"
    until case $(health "$id") in healthy | "") true ;; *) false ;; esac; do
        clock
        if [ $((ms - since)) -ge $((seconds * 1000)) ]; then failed "$1"; fi
        sleep 0.05
    done
    clock
    echo "restarted $1, which reads its password when it starts: away for $((ms - since)) ms"
}

no_deps='' how='' said=
bring_up() {
    clock
    since=$ms
    # shellcheck disable=SC2086 # flags or nothing
    if [ "$starter" = docker ]; then
        [ -n "$fresh" ] || said=$(docker compose up --no-start $no_deps --pull "$pull" $how "$@" 2>&1) || return 1
        how=${how#--force-recreate}
        start_made "$@"
        result=$?
        [ $result = 2 ] || return $result
    fi
    # shellcheck disable=SC2086
    said="$said
$(docker compose up --detach $no_deps --pull "$pull" --wait --wait-timeout "$seconds" $how "$@" 2>&1)"
}

# new containers beside the old ones; those go when the new ones are healthy, and the new ones go when they are not
roll() {
    service=$1 count=$2
    # one that has ended would be started and awaited with the new ones
    for id in $(containers "$service" --filter status=exited); do docker rm "$id" >/dev/null; done
    old=$(containers "$service")
    scale=$((count + $(echo "$old" | grep -c .)))
    how="--no-recreate --scale $service=$scale"
    if bring_up "$service"; then
        for id in $old; do
            docker stop "$id" >/dev/null && docker rm "$id" >/dev/null || exit 1
        done
        echo "rolled $service"
    else
        explained=$(explain "$service")
        for id in $(containers "$service"); do
            echo "$old" | grep -q "$id" || docker rm --force "$id" >/dev/null
        done
        failed "$service"
    fi
}

# what Compose did
tell() {
    printf '%s\n' "$said" | masked | grep -E 'Container .* (Recreated|Created|Started)' | sed 's/^ *//'
}

# where nothing of the project was ever started, Compose makes all of it at once
fresh=
if [ "$starter" = docker ] && [ -n "$tiers" ] && [ -z "$there" ]; then
    # shellcheck disable=SC2086 # one word per service
    said=$(docker compose up --no-start --pull "$pull" $tiers 2>&1) && fresh=yes && tell
fi

# one tier
start_tier() {
    plain='' rolled='' anew='' how='' said=
    for service; do
        if among "$restart" "$service"; then
            restart "$service"
        elif among "$recreate" "$service"; then
            anew="$anew $service"
        # new ones beside one that is not well would wait for it too
        elif count=$(printf '%s\n' "$rolling" | sed -n "s/^$service=//p") && [ -n "$count" ] && is_well "$service"; then
            rolled="$rolled $service=$count"
        else
            plain="$plain $service"
        fi
    done
    eval "$before"
    if [ -n "$plain" ]; then
        # shellcheck disable=SC2086 # one word per service
        wake $plain
        # shellcheck disable=SC2086
        [ -z "$doubt" ] || dependencies_of $plain
        # shellcheck disable=SC2086
        if ! bring_up $plain && ! { revive $plain && bring_up $plain; }; then failed "${plain# }"; fi
        tell
        eval "$after"
    fi
    if [ -n "$anew" ]; then
        # shellcheck disable=SC2086
        [ -z "$doubt" ] || dependencies_of $anew
        how=--force-recreate
        # shellcheck disable=SC2086
        bring_up $anew || failed "${anew# }"
        tell
    fi
    for service in $rolled; do
        [ -z "$doubt" ] || dependencies_of "${service%=*}"
        roll "${service%=*}" "${service##*=}"
    done
}

while [ -n "$tiers" ]; do
    tier=${tiers%%
*}
    # shellcheck disable=SC2086 # one word per service
    start_tier $tier
    case $tiers in
    *"
"*) tiers=${tiers#*
} ;;
    *) tiers= ;;
    esac
done

# what runs now
made=$(listed --all --no-trunc --filter label=com.docker.compose.oneoff=False \
    --format '{{.Label "com.docker.compose.service"}} {{.ID}} {{.Label "com.docker.compose.config-hash"}}') || exit 1
sums=$(printf '%s\n' "$services" | jq -r '.[].file' | sort -u | while IFS= read -r file; do
    [ ! -f "$file" ] || sha256sum -- "$file"
done)
printf '%s\n' "${described:-null}" "$services" "${own:-null}" | jq -nc --arg inputs "$digest" --arg compose "$version" --arg made "$made" --arg sums "$sums" '
    def lines: split("\n") | map(select(. != ""));
    input as $project | input as $services | input as $own
    | ($sums | lines | map({key: .[66:], value: .[:64]}) | from_entries) as $env
    # the newest one is first
    | ($made | lines | map(split(" ")) | reverse | map({key: .[0], value: .}) | from_entries) as $newest
    | {$inputs, $compose, $project, $own, services: ($services | with_entries(.key as $name | .value |= {
        definition, env: ($env[.file] // ""), label: ($newest[$name][2] // ""), container: ($newest[$name][1] // "")}))}' |
    save_applied || exit 1

# for the next look at this host: see engine/seen.sh
plugin=$(compose_plugin)
if [ -n "$plugin" ]; then
    known=
    [ ! -f .fleet/compose ] || IFS= read -r known <.fleet/compose
    case $known in
    "$(stamp "$plugin") "*) ;;
    *)
        next=$(mktemp .fleet-new.XXXXXXXXXX) && printf '%s %s\n' "$(stamp "$plugin")" "$("$plugin" version --short)" >"$next" &&
            mv -fT "$next" .fleet/compose
        ;;
    esac
fi

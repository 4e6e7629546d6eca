# shellcheck shell=sh
# Starts services of the stack in folder $1, tier by tier, and awaits each tier.
#   up <root> <project> <seconds> <pull> <doubt> <starter> <carry> <version> <told> <digest> <inputs…> -- <removed services…> -- <tier>… \
#     -- <service>=<definition>=<env file>…
# <doubt>: whether services that are not to be started could be made anew together with them. <starter>: `docker`, or
# `compose` where only that can start them. <carry>: a command to be run just before redis is replaced, or nothing.
# <version>, <told>: of Compose, and what it said of the project, as JSON. <digest>: of the inputs
# when it said so, or nothing: then they are as they are.
# A tier is one word, services parted by commas; `<service>:<n>` is replaced by starting n new containers beside the old ones,
# `<service>:anew` whatever Compose thinks, and `<service>:restart` keeps its container.
# Standard input: texts to mask in whatever is printed, one per line.
# At the end .fleet/applied.json tells what runs now, for which definition and env file.

root=$1 project=$2 seconds=$3 pull=$4 doubt=$5 starter=$6 carry=$7 version=$8 told=$9
shift 9
cd -- "$root" || exit 1
umask 077
#include mutex.sh
masks=$(cat)

#include mask.sh
#include lib/compose_plugin.sh
#include dependencies.sh
#include start.sh

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
    case $state in "running" | "running, healthy") return ;; esac
    echo "$1: did not come up in $seconds s; it is $state."
    docker inspect --format '{{if .State.Health}}{{range .State.Health.Log}}{{.Output}}{{end}}{{end}}' "$id" | tail -n 3 | sed "s/^/$1: last health output: /"
    docker logs --tail 10 "$id" 2>&1 | sed "s/^/$1: log: /"
}

# the files that Compose reads the definitions from; where these name further ones, what it said does not hold until they change
digest=$1 inputs=
shift
while [ "$1" != -- ]; do
    ! grep -Eqs '(^|[^[:alnum:]_-])(include|extends|label_file)([^[:alnum:]_-]?:([[:space:]]|$)|":)' "$1" || told=null
    inputs="$inputs$(sha256sum -- "$1" 2>/dev/null)
"
    shift
done
shift
inputs=$(printf '%s' "$inputs" | sha256sum | cut -d ' ' -f 1)
[ "${digest:=$inputs}" = "$inputs" ] || doubt=yes # somebody has changed one since

# services that are no longer wanted go before the others come; those given as `<service>:env` with their env files, which the next
# change of a password would not reach, and which the backup has
while [ "$1" != -- ]; do
    service=${1%:env}
    for id in $(containers "$service"); do
        docker stop "$id" >/dev/null && docker rm "$id" >/dev/null && echo "removed $service"
    done
    [ "$1" = "$service" ] || [ ! -f "env/$service.env" ] || { rm -- "env/$service.env" && echo "removed env/$service.env"; }
    shift
done
shift

explained=
failed() {
    {
        echo "$1 did not start; the services that depend on it were not started."
        printf '%s\n' "$said" | grep -Ei 'error|fail|denied|no such|not found|unhealthy' | tail -n 5
        if [ -n "$explained" ]; then printf '%s\n' "$explained"; else for service in $1; do explain "$service"; done; fi
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

# An unhealthy container gets the time of one more check, for its files may just have been put right; then it is restarted.
# Fails where none of the services has one.
revive() {
    revived=
    for service in "$@"; do
        for id in $(containers "$service"); do
            case $unhealthy in *"$id"*) ;; *) continue ;; esac
            revived=yes
            [ "$(health "$id")" = unhealthy ] || continue
            # 30 s is Docker's own, which it tells as 0 or not at all
            check=$(docker inspect --format '{{json .Config.Healthcheck.Interval}} {{json .Config.Healthcheck.Timeout}}' "$id" |
                sed 's/\<\(null\|0\)\>/30000000000/g')
            until=$(($(date +%s) + (${check% *} + ${check#* }) / 1000000000 + 1))
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
watchtower=$(printf '%s\n' "$there" | awk '$2 == "watchtower" && $3 == "running" { print $1 }')
case " $* " in *[\ ,]watchtower[\ ,]*) watchtower= ;; esac
for id in $watchtower; do docker kill --signal STOP "$id" >/dev/null; done
watcher=
trap 'for id in $watchtower; do docker kill --signal CONT "$id" >/dev/null 2>&1; done; kill $watcher 2>/dev/null' EXIT
trap 'exit 1' HUP INT TERM

# a container that reads its password when it starts; how long nobody could log in is told
restart() {
    id=$(running "$1")
    before=$(date +%s%N)
    docker restart --time 30 "$id" >/dev/null || failed "$1"
    until case $(health "$id") in healthy | "") true ;; *) false ;; esac; do
        if [ $((($(date +%s%N) - before) / 1000000000)) -ge "$seconds" ]; then failed "$1"; fi
        sleep 0.05
    done
    echo "restarted $1, which reads its password when it starts: away for $((($(date +%s%N) - before) / 1000000)) ms"
}

no_deps='' how='' said=
bring_up() {
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
if [ "$starter" = docker ] && [ "$1" != -- ] && [ -z "$there" ]; then
    all=$(printf '%s\n' "$@" | sed '/^--$/,$d; s/:[^,]*//g' | tr ',\n' '  ')
    # shellcheck disable=SC2086 # one word per service
    said=$(docker compose up --no-start --pull "$pull" $all 2>&1) && fresh=yes && tell
fi

while [ "$1" != -- ]; do
    plain='' rolling='' anew='' how='' said=
    for service in $(echo "$1" | tr , ' '); do
        case $service in
        *:restart) restart "${service%:*}" ;;
        *:anew) anew="$anew ${service%:*}" ;;
        # new ones beside one that is not well would wait for it too
        *:*) if is_well "${service%:*}"; then rolling="$rolling $service"; else plain="$plain ${service%:*}"; fi ;;
        *) plain="$plain $service" ;;
        esac
    done
    case " $plain " in *" redis "*) eval "$carry" || exit 1 ;; esac
    if [ -n "$plain" ]; then
        # shellcheck disable=SC2086 # one word per service
        wake $plain
        # shellcheck disable=SC2086
        [ "$doubt" = no ] || dependencies_of $plain
        # shellcheck disable=SC2086
        if ! bring_up $plain && ! { revive $plain && bring_up $plain; }; then failed "${plain# }"; fi
        tell
    fi
    if [ -n "$anew" ]; then
        # shellcheck disable=SC2086
        [ "$doubt" = no ] || dependencies_of $anew
        how=--force-recreate
        # shellcheck disable=SC2086
        bring_up $anew || failed "${anew# }"
        tell
    fi
    for service in $rolling; do
        [ "$doubt" = no ] || dependencies_of "${service%:*}"
        roll "${service%:*}" "${service##*:}"
    done
    shift
done
shift

# what runs now; a temporary file in the same folder and a rename, so that a crash leaves the old one or the new one
mkdir -p .fleet
next=.fleet/applied.json.next
made=$(listed --all --no-trunc --filter label=com.docker.compose.oneoff=False \
    --format '{{.Label "com.docker.compose.service"}} {{.ID}} {{.Label "com.docker.compose.config-hash"}}') || exit 1
{
    printf '{"inputs": "%s", "compose": "%s", "project": %s, "services": {' "$digest" "$version" "$told"
    comma=
    for pair in "$@"; do
        service=${pair%%=*} definition=${pair#*=}
        file=${definition#*=} definition=${definition%%=*}
        # the newest one is first
        id=$(printf '%s\n' "$made" | awk -v service="$service" '$1 == service { print $2, $3; exit }')
        label=${id#* } id=${id% *}
        env=
        [ ! -f "$file" ] || env=$(sha256sum -- "$file" | cut -d ' ' -f 1)
        printf '%s\n  "%s": {"definition": "%s", "env": "%s", "label": "%s", "container": "%s"}' \
            "$comma" "$service" "$definition" "$env" "$label" "$id"
        comma=,
    done
    printf '\n}}\n'
} >"$next" && sync "$next" && mv -f "$next" .fleet/applied.json || exit 1

# for the next look at this host: see engine.sh
plugin=$(compose_plugin)
if [ -n "$plugin" ]; then
    case "$(cat .fleet/compose 2>/dev/null)" in
    "$(stamp "$plugin") "*) ;;
    *) printf '%s %s\n' "$(stamp "$plugin")" "$("$plugin" version --short)" >.fleet/compose ;;
    esac
fi

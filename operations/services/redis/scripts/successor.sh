# shellcheck shell=bash
# The container that comes after redis' own, made by Compose beside it and known to nobody until it takes its place: it is in a
# network with the old one alone, without its names and its ports.
#   $old   the container that serves
#   $new   the one that comes
#   $link  that network
# What is under way is noted in .fleet/moving, so that the next run can end it or begin again.

note=.fleet/moving

# a line of `docker inspect` of the container $1
shown() { docker inspect --format "$2" "$1" 2>/dev/null; }

runs() { [ "$(shown "$1" '{{.State.Running}}')" = true ]; }
new_runs() { runs "$new"; }

policy_of() {
    shown "$1" '{{with .HostConfig.RestartPolicy}}{{if .Name}}{{.Name}}{{else}}no{{end}}{{if .MaximumRetryCount}}:{{.MaximumRetryCount}}{{end}}{{end}}'
}

address_in_link() { shown "$1" "{{with index .NetworkSettings.Networks \"$link\"}}{{.IPAddress}}{{end}}"; }

# The folder on the host in which the container $1 has its folder $2, behind what of it is mounted; nothing where it is the container's own.
place_of() {
    docker inspect "$1" | jq --raw-output --arg dir "$2" '
        [.[0].Mounts[]? | select(.Source != "" and (.Destination as $at | $dir == $at or ($dir | startswith($at + "/"))))]
        | max_by(.Destination | length) | if . then .Source, .Source + $dir[(.Destination | length):] else empty end'
}

# Compose's own container for the service as it is defined now; the old one stays as it is. What it will be called and which ports
# are its, it learns when it takes over.
make_successor() {
    said=$(docker compose up --no-start --no-recreate --pull "$pull" --scale "$server=2" "$server" 2>&1) ||
        fail "Compose did not create a second redis beside the old one: $(echo "$said" | tail -n 1). $unmoved"
    new=$(containers --all | grep -vx "$old" | head -n 1)
    [ -n "$new" ] || fail "Compose did not create a second redis beside the old one. $unmoved"
    networks=$(docker inspect "$new" | jq --compact-output --arg name "$(shown "$old" '{{.Name}}')" '
        .[0].NetworkSettings.Networks | to_entries[] | {
            key, value: (.value | {IPAMConfig, Links, DriverOpts, Aliases: ((.Aliases // []) + [$name[1:]] | unique)})}')
    [ -n "$networks" ] || fail "redis has no network of its own, so it cannot be moved. $unmoved"
    old_policy=$(policy_of "$old") new_policy=$(policy_of "$new") theirs='' its='' fresh='' until=''
    { read -r source && read -r place; } < <(place_of "$old" "$dir") || source='' place=''
    # a folder that both would have: the new one gets another in its place
    [ -n "$source" ] && shown "$new" '{{range .Mounts}}{{println .Source}}{{end}}' | grep -qxF -e "$source" || place=
    # its folder, where it is empty now: it is emptied should this come to nothing
    [ -z "$volume" ] || [ -n "$place" ] || [ -n "$(ls -A "$volume" 2>/dev/null)" ] || fresh=$root/$volume
    write_note
}

# + until: the time in seconds since 1970 until which the old one lets nobody write, once the new one has everything
# + place, theirs, its: the folder that both would have, with the inodes of that of the old one and that of the new one
write_note() {
    printf '%s\n' "$old" "$old_policy" "$new" "$new_policy" "$place" "$theirs" "$its" "$fresh" "$until" "$networks" >"$note.new" &&
        sync "$note.new" && mv -f "$note.new" "$note" && sync .fleet || exit 1
}

read_note() {
    local name
    for name in old old_policy new new_policy place theirs its fresh until; do IFS= read -r "${name?}" || return 1; done
    networks=$(cat)
} <"$note"

# The folder with the inode $1 lies at $place, and what lay there at $place.next; also where that was begun and not ended.
lay() {
    local one found='' other=$place.next
    for one in "$place" "$place.next" "$place.left"; do
        [ "$(stat -c %i -- "$one" 2>/dev/null)" != "$1" ] || found=$one
    done
    [ -n "$found" ] || return 1
    [ "$found" != "$place" ] || return 0
    [ "$found" != "$place.next" ] || other=$place.left
    [ ! -e "$place" ] || mv -T -- "$place" "$other" || return 1
    mv -T -- "$found" "$place" || return 1
    [ "$other" = "$place.next" ] || [ ! -e "$other" ] || mv -T -- "$other" "$place.next"
}

# A folder is mounted as it lies there when a container starts, and stays so when it is renamed.
start_successor() {
    local network said
    docker network inspect "$link" >/dev/null 2>&1 || docker network create --internal "$link" >/dev/null || exit 1
    echo "$networks" | jq --raw-output .key | while IFS= read -r network; do
        docker network disconnect "$network" "$new" || exit 1
    done || exit 1
    join_link "$old" && join_link "$new" && docker update --restart no "$new" >/dev/null || exit 1
    if [ -n "$place" ]; then
        own_alone "$place" || fail "$place holds more than redis' own files, or is a file system of its own, so the new redis cannot have" \
            "another in its place. $unmoved"
        rm -rf -- "$place.next" && mkdir -- "$place.next" && chmod "$(stat -c %a -- "$place")" "$place.next" &&
            chown "$(stat -c %u:%g -- "$place")" "$place.next" || exit 1
        theirs=$(stat -c %i -- "$place") its=$(stat -c %i -- "$place.next")
        write_note
        docker update --restart no "$old" >/dev/null && lay "$its" || exit 1
    fi
    said=$(docker start "$new" 2>&1) || fail "The new redis does not start: $said. $unmoved"
    if [ -n "$place" ]; then
        lay "$theirs" && docker update --restart "$old_policy" "$old" >/dev/null || exit 1
    fi
    new_at=$(address_in_link "$new"):6379
    let_in "$new" "$new_at" || fail "The new redis lets nobody in. $unmoved It says:" "$(docker logs --tail 5 "$new" 2>&1)"
    new_login=$login
}

# until the redis that has just been started in the container $1 answers; sets `login`
let_in() {
    local end=$((SECONDS + seconds))
    until redis_login "$1" "$2"; do
        runs "$1" && [ "$SECONDS" -le "$end" ] || return 1
        sleep 0.1
    done
}

join_link() {
    [ -n "$(shown "$1" "{{with index .NetworkSettings.Networks \"$link\"}}yes{{end}}")" ] || docker network connect "$link" "$1"
}

own_alone() {
    ! mountpoint -q -- "$1" && [ -z "$(find "$1" -mindepth 1 -maxdepth 1 ! -name dump.rdb ! -name appendonlydir ! -name 'appendonly.aof*' ! -name 'temp-*')" ]
}

# Nothing of it is left, and the old one is as it was.
give_up() {
    [ -f "$note" ] && read_note || return 0
    docker rm --force --volumes "$new" >/dev/null 2>&1
    if [ -n "$theirs" ] && lay "$theirs"; then rm -rf -- "$place.next"; fi
    [ -z "$fresh" ] || find "$fresh" -mindepth 1 -delete
    docker update --restart "$old_policy" "$old" >/dev/null 2>&1
    docker start "$old" >/dev/null 2>&1 # it does nothing where it runs
    leave_link "$old"
    rm -f "$note"
}

leave_link() {
    docker network disconnect --force "$link" "$1" >/dev/null 2>&1
    docker network rm "$link" >/dev/null 2>&1
}

# Whether the old one ended while it let nobody write: then the new one has everything.
ended_in_time() {
    [ -n "$until" ] && ! runs "$old" || return 1
    docker inspect "$old" | jq --exit-status --arg until "$until" \
        '.[0].State.FinishedAt | sub("[.].*"; "Z") | fromdate < ($until | tonumber)' >/dev/null
}

# What is needed when clients wait: what Docker is asked for each network that the new one comes into, and an address in it.
prepare() {
    local n
    called=$(shown "$old" '{{.Name}}')
    publishes=$(shown "$new" '{{if .HostConfig.PortBindings}}yes{{end}}')
    pid=$(shown "$new" '{{.State.Pid}}')
    mapfile -t entries < <(echo "$networks" | jq --raw-output --arg id "$new" '.key, ({Container: $id, EndpointConfig: .value} | tojson)')
    gateways=()
    for ((n = 0; n < ${#entries[@]}; n += 2)); do
        gateways+=("$(docker network inspect --format '{{range .IPAM.Config}}{{.Gateway}} {{end}}' "${entries[n]}")")
    done
}

# The old one ends; the new one serves under its names. It comes into their networks while the old one still has its address there: who
# knew the address from before would wait a second for an answer.
change_over() {
    promote
    write_note
    gone=$(now)
    ask_old SHUTDOWN NOSAVE >/dev/null 2>&1
    # it has ended when it closes the connection
    if [ "$(now)" -gt $((gone + 1000)) ]; then docker kill "$old" >/dev/null; fi
    [ "$(date +%s)" -lt "$until" ] || fail "redis did not end in time. $unmoved"
    trap - EXIT
    # what would start it again in its container ends as well
    docker kill "$old" >/dev/null 2>&1 &
    # a port of the host is free when Docker has seen that
    [ -z "$publishes" ] || timeout 10 docker wait "$old" >/dev/null 2>&1
    take_over
}

take_over() {
    local failed='' n
    if [ -n "$place" ]; then lay "$its" || fail "The new redis' data is not at $place."; fi
    for ((n = 0; n < ${#entries[@]}; n += 2)); do enter "${entries[n]}" "${entries[n + 1]}" || failed=$said; done
    greet "${gateways[@]}"
    back=$(now)
    docker update --restart "$new_policy" "$new" >/dev/null
    docker rm --force "$old" >/dev/null 2>&1
    [ -z "$called" ] || docker rename "$new" "${called#/}"
    [ -z "$place" ] || rm -rf -- "$place.next"
    [ -n "$failed" ] || leave_link "$new"
    # a roll back brings it back from there
    [ -n "$here" ] || [ ! -f "compose.d/$server.yml" ] || printf '%s\n' "${dir:-/data}" >.fleet/carried
    rm -f "$note"
    [ -z "$failed" ] || fail "The new redis has all that the old one had, but it could not take its place: $failed"
}

# The new one comes into the network $1. What Docker has begun of it when it fails stays, so it is tried once.
enter() {
    said=$(printf '%s' "$2" | curl --silent --max-time 30 --unix-socket "$docker_socket" --header 'Content-Type: application/json' --data @- \
        "http://docker/networks/$1/connect" 2>&1)
    case $said in "" | *"already exists in network"*) ;; *) return 1 ;; esac
}

# Docker tells a container's name before its address can be reached, and who asked for that in vain asks again only after a second. A word
# from there to anybody lets everybody in the network know it; from 28 on Docker sends one itself.
greet() {
    # shellcheck disable=SC2016 # the inner shell's own words
    nsenter --target "$pid" --net bash -c 'for to; do echo >"/dev/udp/${to%% *}/9"; done' greet "$@" 2>/dev/null
}

# A run that was killed while redis changed: it is ended where nothing can be missing, else the old one is as it was.
end_what_was_begun() {
    [ -f "$note" ] && read_note || return 0
    if ! ended_in_time; then
        give_up
        return
    fi
    [ -z "$place" ] || lay "$its"
    runs "$new" || docker start "$new" >/dev/null || exit 1
    new_at=$(address_in_link "$new"):6379
    let_in "$new" "$new_at" || fail "The new redis, ${new:0:12}, lets nobody in. It has all that the old one had. It says:" "$(docker logs --tail 5 "$new" 2>&1)"
    new_login=$login
    promote
    prepare
    take_over
    say "redis' new container, which had all data already, took the place of the old one"
}

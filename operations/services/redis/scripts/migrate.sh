# shellcheck shell=bash
# Before redis, the service $server of the project $project in folder $root, is replaced: its data is migrated to the volume $volume
# where it lies in the container or elsewhere, and redis is replaced at once, so that no write is lost; where its image changes, a
# server of the new one must be able to read the data. Nothing is done where neither is so.
# $image: the new one, or empty for the project's own; $pull, $owner (uid:gid of the data), $seconds for a start, $doubt as up.sh has
# it, $command and $args of the new one.
# Where the project has been restored to what it was before its data was migrated, the data goes back into the container.

#include lib/mutex.sh
#include lib/mask.sh
#include lib/dependencies.sh
#include lib/clock.sh
#include services/redis/login.sh
#include services/redis/digest.sh

masks='' password_file=$folder/password users=default
cd -- "$root" || exit 1
umask 077
take_mutex
copy=${volume%/*}/.$server-migrating trial=$project-$server-trial

fail() {
    printf '%s\n' "$@" | masked >&2
    exit 1
}

now() { clock && echo "$ms"; }

ask() { redis_command "$@"; }

field() { sed -n "s/^$1://p"; }

keeper=
clean() {
    [ -z "$keeper" ] || { kill "$keeper" && ask CLIENT UNPAUSE; } >/dev/null 2>&1
    docker rm --force "$trial" >/dev/null 2>&1
    rm -rf "$copy"
}
trap clean EXIT
trap 'exit 1' HUP INT TERM

# Writes wait, reads go on. Renewed all the time, so that they do not wait for long where this script is killed.
pause_writes() {
    local said
    said=$(ask CLIENT PAUSE 20000 WRITE)
    [ "$said" = +OK ] || fail "redis does not let its writes be paused: $said. Its data was not migrated; it runs as before."
    while sleep 5; do ask CLIENT PAUSE 20000 WRITE; done >/dev/null 2>&1 9>&- &
    keeper=$!
}

# redis' own save, of all that the new one will read
save() {
    case $kept in
    yes)
        if [ "$(ask CONFIG GET appendonly | tail -n 1)" = yes ]; then ask BGREWRITEAOF; else ask CONFIG SET appendonly yes; fi >/dev/null
        while sleep 0.05; do
            state=$(ask INFO persistence)
            case $(echo "$state" | field aof_rewrite_in_progress)$(echo "$state" | field aof_rewrite_scheduled) in 00) break ;; esac
        done
        [ "$(echo "$state" | field aof_last_bgrewrite_status)" = ok ] || fail "redis could not save its data. Read its log."
        ;;
    *) [ "$(ask SAVE)" = +OK ] || fail "redis could not save its data. Read its log." ;;
    esac
}

# only redis' own files: it may have been started in a folder with much else
copy_of() {
    local file
    rm -rf "$copy" && mkdir -p "$copy" || exit 1
    for file in appendonlydir appendonly.aof dump.rdb; do docker cp "$1:$2/$file" "$copy/" >/dev/null 2>&1; done
    [ -n "$(ls -A "$copy")" ] || fail "No file of redis' data was found in $2 of its container. Its data was not migrated; it runs as before."
    chown -R "$owner" "$copy" || exit 1
}

# A server as the new one will be, on the copy and with nobody else. Sets `tried`, its address.
try_copy() {
    docker rm --force "$trial" >/dev/null 2>&1
    # shellcheck disable=SC2086 # the command is words, quoted as Compose reads them
    said=$(eval "docker run --detach --name $trial --volume '$root/$copy:/data' --volume '$root/$folder:/run/redis-auth:ro' \
        --env REDIS_ARGS=\"\$args\" \"\$image\" $command" 2>&1) || fail "A server of $image could not be tried: $said"
    until=$(($(date +%s) + seconds))
    while sleep 0.1; do
        tried=$(docker inspect --format '{{if .State.Running}}{{.NetworkSettings.IPAddress}}{{end}}' "$trial" 2>/dev/null)
        [ -n "$tried" ] || break
        new=$(redis_auth_of "$password_file")$'\n'
        case $(printf '%sPING\r\nQUIT\r\n' "$new" | redis_say "$tried:6379") in *+PONG*) return ;; esac
        [ "$(date +%s)" -lt $until ] || break
    done
    fail "A server of $image cannot read redis' data; redis runs as before. Set redis_image to one that can. It says:" \
        "$(docker logs --tail 5 "$trial" 2>&1)"
}

# the newest container of redis that runs; with further `docker ps` words, such as --all
container() {
    docker ps --quiet --no-trunc --filter "label=com.docker.compose.project=$project" --filter label=com.docker.compose.service="$server" \
        --filter label=com.docker.compose.oneoff=False "$@" | head -n 1
}

# Whether this stack made the container: it has the folder of the ACL file. /data is no sign: the project's own may have it too.
ours() {
    docker inspect --format '{{range .Mounts}}{{.Destination}} {{end}}' "$1" | grep -q '/run/redis-auth '
}

no_deps=
unset fleet_containers

# Two notes, each with the folder in the container that the data came from, the container, when it has ended, and its restart policy:
# `carrying` while it is brought, and after it was brought back; `carried` when it has been brought. Which it is, the container tells.
if [ ! -f "compose.d/$server.yml" ]; then
    # Back to where it was. Its password may be gone from the host by now, so it is stopped, which writes what it holds.
    note=.fleet/carried
    [ -f $note ] || note=.fleet/carrying
    [ -f $note ] || exit 0
    id=$(container --all)
    if [ -n "$id" ]; then
        if ! ours "$id"; then
            # what keeps it running was taken from it before it was to go
            [ "$(sed -n 2p $note)" != "$id" ] || docker update --restart "$(sed -n 3p $note)" "$id" >/dev/null
            exit 0
        fi
        docker stop --time 30 "$id" >/dev/null || fail "redis could not be stopped; its data is in $volume."
    fi
    dir=$(head -n 1 $note)
    [ -z "$doubt" ] || dependencies_of "$server"
    # shellcheck disable=SC2086 # a flag or nothing
    said=$(docker compose up --no-start $no_deps "$server" 2>&1) || fail "redis was not recreated: $said"
    id=$(container --all)
    if ! docker cp "$volume/." "$id:$dir/" >/dev/null || ! docker start "$id" >/dev/null; then
        fail "$volume could not be copied to $dir in redis' container; the data is still in $volume."
    fi
    [ $note = .fleet/carrying ] || mv $note .fleet/carrying
    say "migrated redis' data from $volume back to $dir in its container"
    exit 0
fi

id=$(container)
if [ -z "$id" ]; then
    stopped=$(container --all)
    if [ -z "$stopped" ] || ours "$stopped"; then exit 0; fi
    # a run that was killed after the old one had ended migrated all that it held
    [ "$(sed -n 2p .fleet/carrying 2>/dev/null)" != "$stopped" ] || exit 0
    fail "redis does not run, so its data cannot be migrated to $volume. Nothing was changed. Start it as it was" \
        "(\`docker start ${stopped:0:12}\`), then run again."
fi
read -r _ address < <(redis_container)
address=$address:6379

# as the project's own file has it; `config --images` would tell those of what redis depends on too
[ -n "$image" ] || image=$(docker compose config --format json 2>/dev/null | jq --raw-output --arg name "$server" '.services[$name].image')
docker image inspect "$image" >/dev/null 2>&1 && [ "$pull" != always ] || [ "$pull" = never ] || docker pull --quiet "$image" >/dev/null
source=$(docker inspect --format '{{range .Mounts}}{{if eq .Destination "/data"}}{{.Source}}{{end}}{{end}}' "$id")
same=$([ "$(docker inspect --format '{{.Image}}' "$id")" = "$(docker image inspect --format '{{.Id}}' "$image")" ] && echo yes)
if ! redis_login "$id" "$address"; then
    # one that an earlier run started has its data on the volume, and may be replaced because it lets nobody in
    if jq --exit-status --arg name "$server" '.services[$name]' .fleet/applied.json >/dev/null 2>&1; then exit 0; fi
    fail "redis rejects every password found on this host. Its data was not migrated; it runs as before."
fi
dir=$(ask CONFIG GET dir | tail -n 1)
case $dir in /*) ;; *) fail "redis does not say where it keeps its data: $dir. Nothing was changed." ;; esac

here=
if [ "$dir" = /data ] && [ "$source" = "$(readlink -f "$volume")" ]; then here=yes; fi
[ -z "$here" ] || [ ! -f .fleet/carrying ] || mv .fleet/carrying .fleet/carried
# a redis with an append-only file reads nothing else, and one without never reads it
case $args in *"--appendonly yes"*) kept=yes ;; *) kept=no ;; esac
if [ -n "$here" ] && [ "$(ask CONFIG GET appendonly | tail -n 1)" = $kept ]; then
    [ -z "$same" ] || exit 0
    copy_of "$id" "$dir"
    try_copy
    exit 0
fi

if [ -z "$here" ] && [ ! -f .fleet/carrying ] && [ -n "$(ls -A "$volume" 2>/dev/null)" ]; then
    fail "$root/$volume holds data already, but redis keeps its data in $dir. Its data was not migrated. Move the folder away if what is in it" \
        "is not needed (\`mv $volume $volume.old\`), then run again."
fi
[ -z "$doubt" ] || dependencies_of "$server"
began=$(now)
pause_writes
save
before=$(redis_digest) || fail "redis' keys could not be read. Its data was not migrated; it runs as before."
copy_of "$id" "$dir"
try_copy
after=$(login=$new address=$tried:6379 && redis_digest)
[ "$before" = "$after" ] || fail "The copy of redis' data differs: $before, but $after in the copy. Its data was not migrated; it runs as before."
docker stop --time 30 "$trial" >/dev/null && docker rm "$trial" >/dev/null

if [ -z "$here" ]; then
    printf '%s\n' "$dir" >.fleet/carrying
    # what an earlier attempt left there may be all that is left of something
    rm -rf "$volume.before"
    [ -z "$(ls -A "$volume" 2>/dev/null)" ] || mv "$volume" "$volume.before" || exit 1
    rm -rf "$volume" && mv "$copy" "$volume" && chown "$owner" "$volume" && chmod 700 "$volume" && sync "${volume%/*}" || exit 1
fi
kill "$keeper" 2>/dev/null
keeper=
ask CLIENT PAUSE 60000 WRITE >/dev/null
gone=$(now)
# it would not hand SIGTERM on, and is not to come back
policy=$(docker inspect --format '{{.HostConfig.RestartPolicy.Name}}' "$id")
docker update --restart no "$id" >/dev/null && ask SHUTDOWN NOSAVE >/dev/null 2>&1
[ -n "$here" ] || printf '%s\n%s\n%s\n' "$dir" "$id" "${policy:-no}" >.fleet/carrying
# shellcheck disable=SC2086 # a flag or nothing
said=$(docker compose up --detach $no_deps --pull never --wait --wait-timeout "$seconds" "$server" 2>&1) ||
    fail "redis did not start with its data in $volume." "$(echo "$said" | tail -n 5)"
told="$before; writes waited $((gone - began)) ms, redis was away $(($(now) - gone)) ms"
if [ -n "$here" ]; then
    say "redis wrote its data to $volume in another format: $told"
else
    mv .fleet/carrying .fleet/carried
    say "migrated redis' data from $dir in its container to $volume: $told"
fi

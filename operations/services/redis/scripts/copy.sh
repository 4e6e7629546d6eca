# shellcheck shell=bash
# The other way to move what redis holds, where no redis can follow it: writes wait, redis saves, its files are copied, a server as the
# new one will be reads them and must have the same keys, and redis is replaced at once.

#include services/redis/digest.sh

ask() { redis_command "$@"; }

keeper=
clean() {
    [ -z "$keeper" ] || { kill "$keeper" && ask CLIENT UNPAUSE; } >/dev/null 2>&1
    docker rm --force "$trial" >/dev/null 2>&1
    rm -rf "$copy"
}

# Writes wait, reads go on. Renewed all the time, so that they do not wait for long where this script is killed.
pause_writes() {
    local said
    said=$(ask CLIENT PAUSE 20000 WRITE)
    [ "$said" = +OK ] || fail "redis does not let its writes be paused: $said. $unmoved"
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
    [ -n "$(ls -A "$copy")" ] || fail "No file of redis' data was found in $2 of its container. $unmoved"
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
        new=$(redis_auth_in "$password_file" && printf %s "$login")$'\n'
        case $(printf '%sPING\r\nQUIT\r\n' "$new" | redis_say "$tried:6379") in *+PONG*) return ;; esac
        [ "$(date +%s)" -lt "$until" ] || break
    done
    fail "A server of $image cannot read redis' data; redis runs as before. Set redis_image to one that can. It says:" \
        "$(docker logs --tail 5 "$trial" 2>&1)"
}

# Redis is replaced, with what it holds copied to $volume; where that is its place already ($here), rewritten there in the form that the
# new one reads.
copy_over() (
    trap clean EXIT
    trap 'exit 1' HUP INT TERM
    if [ -n "$here" ] && [ -n "$keeps" ]; then
        copy_of "$id" "$dir"
        try_copy
        exit 0
    fi
    [ -z "$doubt" ] || dependencies_of "$server"
    began=$(now)
    pause_writes
    save
    before=$(redis_digest) || fail "redis' keys could not be read. $unmoved"
    copy_of "$id" "$dir"
    try_copy
    after=$(login=$new address=$tried:6379 && redis_digest)
    [ "$before" = "$after" ] || fail "The copy of redis' data differs: $before, but $after in the copy. $unmoved"
    docker stop --time 30 "$trial" >/dev/null && docker rm "$trial" >/dev/null

    if [ -z "$here" ]; then
        printf '%s\n' "$dir" >.fleet/carrying
        make_room
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
        say "moved redis' data from $dir in its container to $volume: $told"
    fi
)

# Back to where it was. Its password may be gone from the host by now, so it is stopped, which writes what it holds.
copy_back() {
    local from=$root/$volume
    docker stop --time 30 "$id" >/dev/null || fail "redis could not be stopped; it has its data."
    if [ -z "$volume" ]; then
        from=$root/.fleet/moved
        if ! { rm -rf "$from" && mkdir "$from" && docker cp "$id:$dir/." "$from" >/dev/null; }; then
            fail "redis' data could not be read from $dir in its container."
        fi
    fi
    [ -z "$doubt" ] || dependencies_of "$server"
    # shellcheck disable=SC2086 # a flag or nothing
    said=$(docker compose up --no-start $no_deps "$server" 2>&1) || fail "redis was not recreated: $said"
    id=$(container --all)
    if ! docker cp "$from/." "$id:$dir/" >/dev/null || ! docker start "$id" >/dev/null; then
        fail "$from could not be copied to $dir in redis' container; the data is still in $from."
    fi
    [ -n "$volume" ] || rm -rf "$from"
    say "moved redis' data from ${volume:-its container} back to $dir in its container"
}

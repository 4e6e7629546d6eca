# shellcheck shell=bash
# Before redis, the service $server of the project $project in folder $root, is replaced, where the new one would not find what it holds:
# in another place, for another image, or kept in another form. Where $way is `replication`, the new one follows it while clients
# write, and takes its place when nothing is missing. Where it is `copy`, its files are copied while writes wait.
# $volume: the folder that it keeps its data in; empty where the project mounts what it likes.
# $image: the new one, or empty for the project's own; $pull, $owner (uid:gid of the data), $seconds for a start, $doubt as up.sh has
# it, $command and $args of the new one.
# Where the project has been restored to what it was before its data was moved, the data goes back in the same way.

#include lib/mutex.sh
#include lib/mask.sh
#include lib/dependencies.sh
#include services/redis/login.sh
#include services/redis/replication.sh
#include services/redis/successor.sh
#include services/redis/copy.sh

masks='' password_file=$folder/password users=default ca=$folder/ca.crt
cd -- "$root" || exit 1
umask 077
take_mutex
copy=${volume%/*}/.$server-migrating trial=$project-$server-trial link=$project-$server-move no_deps=
unmoved="Its data was not moved; it runs as before."

fail() {
    printf '%s\n' "$@" | masked >&2
    exit 1
}

# the containers of redis that run, the newest first; with further `docker ps` words, such as --all
containers() {
    docker ps --quiet --no-trunc --filter "label=com.docker.compose.project=$project" --filter label=com.docker.compose.service="$server" \
        --filter label=com.docker.compose.oneoff=False "$@"
}
container() { containers "$@" | head -n 1; }

# Whether this stack made the container: it has the folder of the ACL file. /data is no sign: the project's own may have it too.
ours() {
    docker inspect --format '{{range .Mounts}}{{.Destination}} {{end}}' "$1" | grep -q '/run/redis-auth '
}

# what an earlier attempt left in $volume may be all that is left of something
make_room() {
    [ -n "$(ls -A "$volume" 2>/dev/null)" ] || return 0
    rm -rf "$volume.before" && mv "$volume" "$volume.before" && mkdir "$volume" && chown "$owner" "$volume" && chmod 700 "$volume" || exit 1
}

# logs in to redis, and finds out its password, empty where it wants none
enter_redis() {
    redis_login "$id" "$address" || return 1
    case $(printf 'PING\r\nQUIT\r\n' | redis_say "$address") in +PONG*) password= ;; esac
}

# From the container $id to the one that Compose makes of the service.
replicate() (
    old=$id old_at=$address old_login=$login their_name=$name their_password=$password tries=0
    trap give_up EXIT
    trap 'exit 1' HUP INT TERM
    can_be_followed
    # the other one follows it in a network that no one else is in; whoever has no password is refused
    [ "$(ask_old CONFIG GET port | tail -n 1)" != 0 ] || ask_old CONFIG SET port 6379 >/dev/null
    make_successor
    start_successor
    follow "$(address_in_link "$old")" "$their_name" "$their_password"
    catch_up
    docker update --restart no "$old" >/dev/null || exit 1
    prepare
    until stand_still; do
        [ $((tries += 1)) -lt 10 ] || fail "Clients write faster than the new redis takes it over. $unmoved"
        catch_up
    done
    change_over
    say "moved redis' data to a new container by replication: $(echo "$held" | keys_in) keys; writes waited $((back - began)) ms," \
        "redis was away $((back - gone)) ms"
)

# Redis ends by itself, once it has saved what it holds: Docker would kill one that cannot save, and the shell in which redis-stack
# starts its server does not wait for it. The next one finds all of it in the same place.
end_saved() {
    local said policy end=$((SECONDS + seconds))
    policy=$(policy_of "$id")
    printf '%s\n%s\n' "$id" "$policy" >.fleet/ended
    # it is not to come back
    docker update --restart no "$id" >/dev/null || exit 1
    said=$(ask SHUTDOWN)
    while runs "$id"; do
        case $said$([ "$SECONDS" -le "$end" ] || echo -late) in *-*)
            docker update --restart "$policy" "$id" >/dev/null
            rm -f .fleet/ended
            fail "redis cannot save what it holds in $dir, so it was not replaced: ${said:-it did not end in $seconds s}. It runs as before. It says:" \
                "$(docker logs --tail 5 "$id" 2>&1)"
            ;;
        esac
        sleep 0.1
    done
}

# Whether Compose will make another container, for its definition is another one. Its env files are none of redis'.
will_be_replaced() {
    local hash
    hash=$(docker compose config --hash "$server" 2>/dev/null) && [ "${hash##* }" != "$(shown "$id" '{{index .Config.Labels "com.docker.compose.config-hash"}}')" ]
}

# a Docker that does not answer does not say that redis does not run
docker ps --quiet >/dev/null || fail "Docker did not answer, so redis was left alone."
end_what_was_begun

# Two notes, each with the folder in the container that the data came from, the container, when it has ended, and its restart policy:
# `carrying` while it is brought, and after it was brought back; `carried` when it has been brought. Which it is, the container tells.
if [ ! -f "compose.d/$server.yml" ]; then
    # what keeps it running was taken from it before it was to go
    [ ! -f .fleet/ended ] || docker update --restart "$(sed -n 2p .fleet/ended)" "$(head -n 1 .fleet/ended)" >/dev/null 2>&1
    rm -f .fleet/ended
    brought=.fleet/carried
    [ -f $brought ] || brought=.fleet/carrying
    [ -f $brought ] || exit 0
    id=$(container)
    [ -n "$id" ] || id=$(container --all)
    [ -n "$id" ] || exit 0
    if ! ours "$id"; then
        # what keeps it running was taken from it before it was to go
        [ "$(sed -n 2p $brought)" != "$id" ] || docker update --restart "$(sed -n 3p $brought)" "$id" >/dev/null
        exit 0
    fi
    dir=$(head -n 1 $brought)
    read -r _ address < <(server_container)
    address=$address:6379
    # its password may be gone from the host by now, and its format too new for the one that comes back
    if [ "$way" = copy ] || ! runs "$id" || ! enter_redis || ! ([ -z "$volume" ] || dir=/data; replicate); then copy_back; fi
    [ $brought = .fleet/carrying ] || mv $brought .fleet/carrying
    exit 0
fi

id=$(container)
if [ -z "$id" ]; then
    stopped=$(container --all)
    if [ -z "$stopped" ] || ours "$stopped"; then exit 0; fi
    # a run that was killed after the old one had ended moved all that it held
    [ "$(sed -n 2p .fleet/carrying 2>/dev/null)" != "$stopped" ] || exit 0
    [ "$(head -n 1 .fleet/ended 2>/dev/null)" != "$stopped" ] || exit 0
    fail "redis does not run, so its data cannot be moved. Nothing was changed. Start it as it was" \
        "(\`docker start ${stopped:0:12}\`), then run again."
fi
read -r _ address < <(server_container)
address=$address:6379

# as the project's own file has it; `config --images` would tell those of what redis depends on too
[ -n "$image" ] || image=$(docker compose config --format json 2>/dev/null | jq --raw-output --arg name "$server" '.services[$name].image')
docker image inspect "$image" >/dev/null 2>&1 && [ "$pull" != always ] || [ "$pull" = never ] || docker pull --quiet "$image" >/dev/null
same=$([ "$(docker inspect --format '{{.Image}}' "$id")" = "$(docker image inspect --format '{{.Id}}' "$image")" ] && echo yes)
if ! enter_redis; then
    # one that an earlier run started has its data on the volume, and may be replaced because it lets nobody in
    if [ -n "$volume" ] && jq --exit-status --arg name "$server" '.services[$name]' .fleet/applied.json >/dev/null 2>&1; then exit 0; fi
    fail "redis rejects every password found on this host. $unmoved"
fi
dir=$(ask CONFIG GET dir | tail -n 1)
case $dir in /*) ;; *) fail "redis does not say where it keeps its data: $dir. Nothing was changed." ;; esac

# where the new one keeps its data, and whether in the same form: a redis with an append-only file reads nothing else, and one without
# never reads it
here='' keeps=''
place=$(place_of "$id" "$dir" | tail -n 1)
case $args in *"--appendonly yes"*) kept=yes ;; *) kept=no ;; esac
if [ -n "$volume" ]; then
    [ "$dir" != /data ] || [ "$place" != "$(readlink -f "$volume")" ] || here=yes
    [ "$(ask CONFIG GET appendonly | tail -n 1)" != $kept ] || keeps=yes
elif [ -n "$place" ]; then
    # it goes on as the project has it, and reads what it has written, if it writes anything
    here=yes
    case $(ask CONFIG GET appendonly | tail -n 1)$(ask CONFIG GET save | tail -n 1) in no) ;; *) keeps=yes ;; esac
fi
[ -z "$here" ] || [ ! -f .fleet/carrying ] || mv .fleet/carrying .fleet/carried
# and one that could not take its place in the project's networks is not there yet
if [ -n "$here" ] && [ -n "$keeps" ] && [ -n "$same" ] && [ -z "$(address_in_link "$id")" ]; then
    if will_be_replaced; then end_saved; fi
    exit 0
fi
if [ -n "$volume" ] && [ -z "$here" ] && [ ! -f .fleet/carrying ] && [ -n "$(ls -A "$volume" 2>/dev/null)" ]; then
    fail "$root/$volume holds data already, but redis keeps its data in $dir. $unmoved Move the folder away if what is in it" \
        "is not needed (\`mv $volume $volume.old\`), then run again."
fi
if [ "$way" = copy ]; then
    [ -n "$volume" ] || fail "redis keeps its data in $dir, and its files cannot be copied to another place than the project has. $unmoved"
    copy_over
else
    [ -n "$here" ] || [ -z "$volume" ] || make_room
    replicate || exit 1
    [ -n "$here" ] || printf '%s\n' "$dir" >.fleet/carried
    rm -f .fleet/carrying
fi

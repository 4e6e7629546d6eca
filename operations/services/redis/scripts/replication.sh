# shellcheck shell=bash
# One redis takes all that another one holds while clients write: it follows as its replica, and takes the role when nothing is missing.
#   $old_at, $old_login   the one that serves: host:port, and what logs in to it
#   $new_at, $new_login   the one that follows
# Needs `fail`, and `new_runs`: whether the one that follows is still there.

#include lib/clock.sh
#include services/redis/client.sh

PAUSE=10000       # ms for which writes wait at most, also where this script is killed
CATCHING_UP=2000  # ms of these for the last writes to arrive
GIVEN_UP=3        # transfers that were begun once more, after which it cannot read the data

now() { clock && echo "$ms"; }

ask_old() { address=$old_at login=$old_login redis_command "$@"; }
ask_new() { address=$new_at login=$new_login redis_command "$@"; }

# a field of what INFO says on standard input
field() { sed -n "s/^$1://p"; }

# how many keys there are in each database, and how many of them expire, of what INFO says on standard input
keyspace() { sed -n 's/^\(db[0-9]*:keys=[0-9]*,expires=[0-9]*\).*/\1/p'; }

# of these lines, the number of keys
keys_in() { awk -F '[=,]' '{ keys += $2 } END { print keys + 0 }'; }

# Whether it can be followed at all, with room in memory for both.
can_be_followed() {
    local state memory
    state=$(ask_old INFO)
    [ "$(echo "$state" | field role)" = master ] || fail "redis is a replica of another one, so it cannot be moved."
    [ "$(echo "$state" | field cluster_enabled)" = 0 ] || fail "redis is a part of a cluster, so it cannot be moved."
    memory=$(($(echo "$state" | field used_memory) / 1024))
    [ "$(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo)" -gt $((memory * 5 / 4)) ] ||
        fail "redis holds $((memory / 1024)) MB, and the host has no memory left for a second one beside it. $unmoved"
}

# $1: the address of the one that serves, as the other one reaches it; $2, $3: who logs in to it, and the password, empty where it
# wants none
follow() {
    local said words
    started=$(ask_old INFO stats | field sync_full)
    said=$(ask_new 'CONFIG SET masterauth ""')
    if [ -n "$3" ]; then
        words=$(redis_words CONFIG SET masterauth "$3")
        said=$(ask_new "${words%$'\r'}")
        # the `default` of a redis without ACLs has no name
        [ "$2" = default ] || said=$said$(ask_new "CONFIG SET masteruser $2")
    fi
    [ "${said//+OK/}" = "" ] && [ -n "$said" ] && [ "$(ask_new "REPLICAOF $1 6379")" = +OK ] || fail "The new redis does not follow the old one: $said. $unmoved"
}

# Until it has everything, in memory and on disk. It may take as long as it gets on: $seconds without any progress are too many.
catch_up() {
    local state progress before='' since=$SECONDS
    while :; do
        new_runs || fail "The new redis has ended. $unmoved"
        state=$(ask_new INFO)
        case $(echo "$state" | field master_link_status) in
        up)
            case $(echo "$state" | field aof_rewrite_in_progress)$(echo "$state" | field aof_rewrite_scheduled)$(echo "$state" | field aof_last_bgrewrite_status) in
            00ok) return ;;
            esac
            ;;
        *)
            [ $(($(ask_old INFO stats | field sync_full) - started)) -le "$GIVEN_UP" ] || fail "The new redis cannot read what the old one sends. $unmoved"
            ;;
        esac
        progress=$(echo "$state" | grep -E '^(master_sync_(total|read|left)_bytes|loading_loaded_bytes|slave_repl_offset|aof_|current_(cow|fork))')
        if [ "$progress" != "$before" ]; then before=$progress since=$SECONDS; fi
        [ $((SECONDS - since)) -le $((seconds + 10)) ] || fail "The new redis does not get on with taking the data over. $unmoved"
        sleep 0.2
    done
}

# Writes wait, at most until $until (seconds since 1970), and whatever was written before is there: `held` says what. Fails, and writes go on, where it does not
# arrive in time; ends where the two hold different keys.
stand_still() {
    local state wanted holds
    began=$(now) until=$(($(date +%s) + PAUSE / 1000))
    state=$(ask_old "CLIENT PAUSE $PAUSE WRITE"$'\r\n'INFO)
    case $state in
    +OK*) ;;
    *) fail "redis does not let its writes be paused: $(echo "$state" | head -n 1). $unmoved" ;;
    esac
    wanted=$(echo "$state" | field master_repl_offset)
    held=$(echo "$state" | keyspace)
    while :; do
        state=$(ask_new INFO)
        if [ "$(echo "$state" | field slave_repl_offset)" -ge "${wanted:-1}" ] 2>/dev/null; then break; fi
        if [ $(($(now) - began)) -gt "$CATCHING_UP" ]; then
            ask_old CLIENT UNPAUSE >/dev/null
            return 1
        fi
    done
    holds=$(echo "$state" | keyspace)
    [ "$holds" = "$held" ] || fail "The new redis holds $(echo "$holds" | keys_in) keys, the old one $(echo "$held" | keys_in). $unmoved"
}

# It is a server of its own, and forgets the password of the other one.
promote() {
    local said
    said=$(ask_new "REPLICAOF NO ONE"$'\r\n'"CONFIG SET masterauth \"\"")
    [ "$said" = "+OK"$'\n'"+OK" ] || fail "The new redis did not take over: $said."
}

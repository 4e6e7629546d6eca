# shellcheck shell=sh
# Takes the lock of the stack in folder $root for run $run, whose owner is $owner as JSON, or says who holds it. A lock that is more
# than $ttl seconds old, or held by run $over (* for any), is taken over.

#include lib/mutex.sh
#include lib/history.sh
umask 022
mkdir -p -- "$root" && cd -- "$root" || exit 1
umask 077
mkdir -p .fleet || exit 1
lock=.fleet/lock

# two that come at once go one after the other
exec 8<.fleet && timeout 60 flock 8 || exit 1

# a folder that is renamed onto a lock fails where there is one, so nobody sees a lock without its owner
for left in .fleet/lock-new*; do [ ! -e "$left" ] || rm -rf -- "$left"; done
# cat says why it cannot write, printf does not
if ! new=$(mktemp -d .fleet/lock-new.XXXXXXXXXX) || ! printf '%s\n' "$owner" | cat >"$new/owner" || ! printf '%s\n' "$run" | cat >"$new/run"; then
    echo "$root: the lock cannot be written. Nothing was changed." >&2
    rm -rf -- "$new"
    exit 1
fi
if [ -d "$lock" ]; then
    age=$(($(date +%s) - $(stat -c %Y -- "$lock")))
    held=$(run_of "$lock")
    # one without an owner is left of a crash of the host: a lock gets its place together with its owner
    if [ -z "$held" ] || [ "$over" = '*' ] || [ "$over" = "$held" ] || [ "$held" = "$run" ] || [ $age -gt "$ttl" ]; then
        if [ "$held" != "$run" ]; then
            echo "took over the lock of run ${held:-unknown}, $age s old"
            # that run never came to note in the history what it did
            entry=$(head -c 4096 -- "$lock/owner" 2>/dev/null | jq -c 'objects + {result: "interrupted"}' 2>/dev/null)
            [ -z "$entry" ] || note "$entry"
        fi
        rm -rf -- "$lock"
    fi
fi
if ! mv -T -- "$new" "$lock" 2>/dev/null; then
    by=$(owner_of "$lock")
    echo "$root is locked by ${by:-another run}" >&2
    rm -rf -- "$new"
    exit 1
fi

exec 8<&-

# a script of the run that held it before may still be at work
take_mutex

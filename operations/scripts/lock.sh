# shellcheck shell=sh
# Takes the lock of the stack in folder $1 for the owner on standard input, or says who holds it.
#   lock <root> <seconds after which a lock is old> <run whose lock may be taken over, * for any, or "">

root=$1 ttl=$2 over=$3
owner=$(cat)
umask 022
mkdir -p -- "$root" && cd -- "$root" || exit 1
umask 077
mkdir -p .fleet || exit 1
lock=.fleet/lock

run_of() {
    sed -n 's/.*"run": "\([^"]*\)".*/\1/p' "$1/owner" 2>/dev/null
}

#include note.sh

# two that come at once go one after the other
exec 8<.fleet && flock -w 60 8 || exit 1

# a folder that is renamed onto a lock fails where there is one, so nobody sees a lock without its owner
new=$lock-new
rm -rf -- "$new"
# cat says why it cannot write, printf does not
if ! mkdir -- "$new" || ! printf '%s\n' "$owner" | cat >"$new/owner"; then
    echo "$root: the lock cannot be written. Nothing was changed." >&2
    rm -rf -- "$new"
    exit 1
fi
if [ -d "$lock" ]; then
    age=$(($(date +%s) - $(stat -c %Y -- "$lock")))
    held=$(run_of "$lock")
    # one without an owner is left of a crash of the host: a lock gets its place together with its owner
    if [ -z "$held" ] || [ "$over" = '*' ] || [ "$over" = "$held" ] || [ "$held" = "$(run_of "$new")" ] || [ $age -gt "$ttl" ]; then
        if [ "$held" != "$(run_of "$new")" ]; then
            echo "took over the lock of run ${held:-unknown}, $age s old"
            # that run never came to note in the history what it did
            [ -z "$held" ] || printf '%s, "result": "interrupted"}\n' "$(sed 's/}$//' "$lock/owner")" | note
        fi
        rm -rf -- "$lock"
    fi
fi
if ! mv -T -- "$new" "$lock" 2>/dev/null; then
    echo "$root is locked: $(cat "$lock/owner" 2>/dev/null)" >&2
    rm -rf -- "$new"
    exit 1
fi

exec 8<&-

# a script of the run that held it before may still be at work
: >>.fleet/mutex
flock -w 600 .fleet/mutex true

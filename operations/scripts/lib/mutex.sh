# One script at a time changes the stack in folder $root: that of a run whose controller died may still be at work. What such a
# script left half made is removed.
take_mutex() {
    # What was begun is ended, also where the controller that would read about it is gone: a line that nobody hears is no failure.
    trap '' PIPE
    { [ -d "$root/.fleet" ] && [ -z "$FLEET_MUTEX" ]; } || return 0
    exec 9>>"$root/.fleet/mutex"
    # busybox' flock has no patience of its own
    if ! timeout 2 flock 9; then
        waited_for=
        IFS= read -r waited_for <"$root/.fleet/mutex"
        say "waiting until a script of ${waited_for:-another run} has ended on this host"
        if ! timeout 600 flock 9; then
            echo "$root: a script of ${waited_for:-another run} is still at work there after ten minutes. Look at what it waits for." >&2
            exit 1
        fi
    fi
    export FLEET_MUTEX=held
    owner_of "$root/.fleet/lock" >"$root/.fleet/mutex"
    for left in "$root"/.fleet-new.* "$root"/*/.fleet-new.* "$root"/*/*/.fleet-new.*; do
        [ ! -e "$left" ] || rm -rf -- "$left"
    done
}

# what a server says of itself may be no text
say() { printf '%s\n' "$*" | LC_ALL=C tr -c '\11\12\40-\176' '?' 2>/dev/null || :; }

# The run that holds the lock in folder $1: its name, or nothing. One that an earlier version took has its name in `owner` alone.
run_of() {
    held=
    if [ -f "$1/run" ]; then
        IFS= read -r held <"$1/run"
    elif [ -s "$1/owner" ]; then
        held=unknown
        ! command -v jq >/dev/null || held=$(head -c 4096 -- "$1/owner" | jq -r '.run | strings' 2>/dev/null)
    fi
    case $held in *[!0-9A-Za-z._-]*) held=unknown ;; esac
    printf '%.100s\n' "$held"
}

# Who holds the lock in folder $1, in words.
owner_of() {
    [ ! -d "$1" ] || head -c 4096 -- "$1/owner" 2>/dev/null | jq -r '
        def word: tostring | gsub("[[:cntrl:]]"; "?")[:100];
        "run \(.run | word), by \(.operator | word) from \(.controller | word), since \(.since | word)"' 2>/dev/null
    return 0
}

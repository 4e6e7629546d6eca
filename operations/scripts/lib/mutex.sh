# One script at a time changes the stack in folder $root: that of a run whose controller died may still be at work.
hold_mutex() {
    if [ -d "$root/.fleet" ] && [ -z "$FLEET_MUTEX" ]; then
        exec 9>>"$root/.fleet/mutex" && flock -w 600 9 || exit 1
        export FLEET_MUTEX=held
    fi
    # What was begun is ended, also where the controller that would read about it is gone: a line that nobody hears is no failure.
    trap '' PIPE
}

# shellcheck disable=SC2329 # not every script has something to say
say() { echo "$@" || :; }

# Sets `answer` to what `ask` says; for $patience seconds it is asked again until it says something, as of a service that has just
# started.
patiently() {
    answer=$(ask)
    [ -z "$answer" ] && [ "$patience" -gt 0 ] || return 0
    end=$(($(date +%s) + patience))
    while [ -z "$answer" ] && [ "$(date +%s)" -le "$end" ]; do
        sleep 0.2
        answer=$(ask)
    done
}

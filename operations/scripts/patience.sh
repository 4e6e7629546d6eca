# Asks, and for $patience seconds asks again, until there is an answer, as from a service that has just started.
answer=$(ask "$@")
if [ -z "$answer" ] && [ "$patience" -gt 0 ]; then
    until=$(($(date +%s) + patience))
    while [ -z "$answer" ] && [ "$(date +%s)" -le $until ]; do
        sleep 0.2
        answer=$(ask "$@")
    done
fi
[ -z "$answer" ] || printf '%s\n' "$answer"

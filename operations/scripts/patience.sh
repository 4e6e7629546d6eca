# Asks, and for $patience seconds asks again, until there is an answer, as from a service that has just started.
tries=$((patience * 5))
while answer=$(ask "$@") && [ -z "$answer" ] && [ $tries -gt 0 ]; do
    tries=$((tries - 1))
    sleep 0.2
done
[ -z "$answer" ] || echo "$answer"

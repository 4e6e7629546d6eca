# Docker asks a container's healthcheck only after its first interval, where the engine or the definition knows no start_interval.
# Meanwhile it is asked from here, with Docker's own words, user, environment and timeout, and with the same verdict.

# Prints those of the containers $@ that Docker asks so late.
asked_late() {
    [ $# -eq 0 ] || docker inspect "$@" | jq --raw-output '.[] | select(.Config.Healthcheck.Test[0] // "NONE" | . != "NONE")
        | select((.Config.Healthcheck.StartInterval // 0) == 0) | .Id'
}

# Whether the container $1 is well by its healthcheck.
is_healthy() {
    words=$(docker inspect "$1" | jq --raw-output '.[] | .Id as $id | .Config | (.Shell // ["/bin/sh", "-c"]) as $shell | .Healthcheck
        | [((.Timeout // 0) / 1e9 | ceil | if . == 0 then 30 else . end), "docker", "exec", $id]
            + (if .Test[0] == "CMD-SHELL" then $shell else [] end) + .Test[1:] | @sh') || return 1
    eval "timeout $words" >/dev/null 2>&1 </dev/null
}

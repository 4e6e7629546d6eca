# Sets `no_deps` for `docker compose up` of the services given: empty, or --no-deps where something else would be recreated with
# them, which an operator has changed and not yet applied. What a service depends on is part of what Compose compares with the next
# time, but only where it may start that too: without, the next `docker compose up` by hand would recreate the service. Asked
# for each tier by itself: whatever depends on a container that is recreated is recreated by the same command.
dependencies_of() {
    no_deps=
    others=$(docker ps --all --filter "label=com.docker.compose.project=$project" \
        --format '{{.Label "com.docker.compose.service"}}={{.Names}}' | while IFS= read -r pair; do
        case " $* " in *" ${pair%%=*} "*) ;; *) printf '%s\n' "${pair#*=}" ;; esac
    done)
    touched=$(docker compose up --detach --dry-run "$@" 2>&1 | sed -n 's/.*Container \([^ ]*\)  *Recreate$/\1/p')
    for name in $touched; do
        if printf '%s\n' "$others" | grep -qxF -e "$name"; then no_deps=--no-deps; fi
    done
}

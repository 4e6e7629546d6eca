# shellcheck shell=sh
# The containers of the Compose project $1, a line each. Only chosen fields leave the host: a command or a label may hold a password.

ids=$(docker ps --all --quiet --no-trunc \
    --filter "label=com.docker.compose.project=$1" --filter label=com.docker.compose.oneoff=False) || exit 1
[ -n "$ids" ] || exit 0

t=$(printf '\t')
label='index .Config.Labels "com.docker.compose'
# shellcheck disable=SC2086 # one word per id
docker inspect --format "{{.Id}}$t{{$label.service\"}}$t{{.State.Status}}$t{{if .State.Health}}{{.State.Health.Status}}{{end}}$t\
{{$label.config-hash\"}}$t{{.State.StartedAt}}$t{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}$t\
{{range .Mounts}}{{.Source}}>{{.Destination}};{{end}}" $ids

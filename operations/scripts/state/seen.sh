# shellcheck shell=sh
# What earlier runs left in the stack's folder $root, and what somebody else did there.
# + project: the Compose project that should run there
# + texts: further small files whose content is told
# + folders: those of which one entry is told
# + filters: those of Docker's API for the containers that run from its folder

cd -- "$root" 2>/dev/null || exit 0

# path, content as base64, and a dot where that went well
set --
for file in .fleet/applied.json .fleet/fragments .fleet/lock/owner .fleet/counters.json $texts; do
    [ ! -f "$file" ] || [ -L "$file" ] || [ ! -r "$file" ] || set -- "$@" "$file"
done
[ $# -eq 0 ] || stat -c '%s %n' -- "$@" | while read -r size file; do
    [ "$size" -gt 65536 ] || { printf '%s ' "$file" && base64 -w 0 -- "$file" && echo ' .' || echo; }
done

# what Compose finds by itself, and what .env names in its place
for name in compose docker-compose; do
    for file in $name.yaml $name.yml $name.override.yml $name.override.yaml; do [ ! -e "$file" ] || echo "usual $file"; done
done
said=
[ ! -f .env ] || while IFS= read -r line && [ ${#said} -lt 4096 ]; do
    case $line in *COMPOSE_FILE* | *COMPOSE_PATH_SEPARATOR*) said="$said$line
" ;; esac
done <.env
[ -z "$said" ] || echo "dotenv $(printf %s "$said" | base64 -w 0)"

# what a run that was killed had begun to bring there is no data of somebody else
[ -f .fleet/carrying ] || for folder in $folders; do
    for entry in "$folder"/*; do
        [ ! -e "$entry" ] || { printf '%s' "entry $folder " && printf %s "${entry##*/}" | base64 -w 0 && echo; }
        break
    done
done

# once something was started here it is known to be this project's
if [ ! -f .fleet/applied.json ] && [ -S "$docker_socket" ]; then
    curl --silent --fail --max-time 10 --unix-socket "$docker_socket" --get --data-urlencode all=true \
        --data-urlencode "filters=$filters" http://docker/containers/json |
        jq --compact-output --ascii-output --arg mine "$project" \
            '{projects: ([.[].Labels["com.docker.compose.project"] | strings | select(. != $mine)] | unique),
              files: ([.[] | select(.Labels["com.docker.compose.project"] == $mine)] | max_by(.Created)
                | .Labels["com.docker.compose.project.config_files"] // "")}'
fi 2>/dev/null || :

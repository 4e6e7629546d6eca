# shellcheck shell=sh
# What earlier runs left in the stack's folder $root, and what somebody else did there.
# + project: the Compose project that should run there
# + filters: those of Docker's API for the containers that run from its folder

cd -- "$root" 2>/dev/null || exit 0

# path, content as base64, and a dot where that went well
find .fleet/applied.json .fleet/fragments .fleet/lock/owner secrets/redis/users.acl -maxdepth 0 -type f -size -65537c \
    -printf '%p ' -exec base64 -w 0 {} \; -printf ' .\n' 2>/dev/null

for base in docker-compose.yml docker-compose.yaml compose.yaml; do [ ! -e $base ] || echo "base $base"; done

# what a run that was killed had begun to bring there is no data of somebody else, nor is that of a redis that was taken over
if [ ! -f .fleet/carrying ] && [ ! -f secrets/redis/users.acl ]; then
    for entry in data/redis/*; do
        [ ! -e "$entry" ] || echo "volume $(printf %s "${entry##*/}" | base64 -w 0)"
        break
    done
fi

# once something was started here it is known to be this project's
if [ ! -f .fleet/applied.json ] && [ -S /var/run/docker.sock ]; then
    curl --silent --fail --max-time 10 --unix-socket /var/run/docker.sock --get --data-urlencode all=true \
        --data-urlencode "filters=$filters" http://docker/containers/json |
        jq --compact-output --ascii-output --arg mine "$project" \
            '[.[].Labels["com.docker.compose.project"] | strings | select(. != $mine)] | unique'
fi 2>/dev/null || :

# shellcheck shell=sh
# What earlier runs left in the stack's folder $1, and what somebody else did there: lines of kind, tab, text. The Compose project
# should be $2, and $3 its folder.

cd -- "$1" 2>/dev/null || exit 0

prefixed() {
    [ -f "$2" ] || return 0
    while IFS= read -r text || [ -n "$text" ]; do
        printf '%s\t%s\n' "$1" "$text"
    done <"$2"
}

prefixed applied .fleet/applied.json
prefixed fragment .fleet/fragments
prefixed acl secrets/redis/users.acl
prefixed lock .fleet/lock/owner

for base in docker-compose.yml docker-compose.yaml compose.yaml; do [ ! -e $base ] || printf 'base\t%s\n' $base; done

# what a run that was killed had begun to bring there is no data of somebody else
if [ ! -f .fleet/carrying ]; then
    for entry in data/redis/*; do
        [ ! -e "$entry" ] || printf 'volume\t%s\n' "${entry##*/}"
        break
    done
fi

# once something was started here it is known to be this project's
if [ ! -f .fleet/applied.json ] && [ -S /var/run/docker.sock ]; then
    curl --silent --fail --max-time 10 --unix-socket /var/run/docker.sock --get --data-urlencode all=true \
        --data-urlencode "filters={\"label\":[\"com.docker.compose.project.working_dir=$3\"]}" http://docker/containers/json |
        grep -o '"com.docker.compose.project":"[^"]*"' | cut -d '"' -f 4 | grep -vxF -e "$2" | sort -u |
        while IFS= read -r name; do printf 'project\t%s\n' "$name"; done
fi

# shellcheck shell=sh
# The engine's version, and the containers of the Compose project $project as JSON. What was asked serves the scripts behind it.

#include lib/containers.sh
#include lib/health.sh

[ -n "$fleet_containers" ] || fleet_containers=$(ask_docker) || exit 1
case $fleet_containers in
*"(health: starting)"*)
    starting=$(printf '%s\n' "$fleet_containers" | sed 1d | jq --raw-output 'arrays | .[] | select(.status | contains("(health: starting)")) | .id')
    # shellcheck disable=SC2086 # one word each
    for id in $(asked_late $starting); do
        if is_healthy "$id"; then
            fleet_containers=$(printf '%s\n' "$fleet_containers" | {
                IFS= read -r version && echo "$version"
                jq --ascii-output --compact-output --arg id "$id" \
                    'arrays |= map(if .id == $id then .status |= sub("health: starting"; "healthy") else . end)'
            })
        fi
    done
    ;;
esac
printf '%s\n' "${fleet_containers%%
\"*}"

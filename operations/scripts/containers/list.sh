# shellcheck shell=sh
# The engine's version, and the containers of the Compose project $project as JSON. What was asked serves the scripts behind it.

#include lib/containers.sh
#include lib/health.sh

# those that Docker asks late are asked from here
asked_now() {
    list_containers || return 1
    case $fleet_containers in *"(health: starting)"*) ;; *) return ;; esac
    # shellcheck disable=SC2046 # one word each
    for id in $(asked_late $(printf '%s\n' "$fleet_containers" | sed 1d |
        jq --raw-output 'arrays | .[] | select(.status | contains("(health: starting)")) | .id')); do
        is_healthy "$id" || continue
        fleet_containers=$(printf '%s\n' "$fleet_containers" | {
            IFS= read -r version && echo "$version"
            jq --ascii-output --compact-output --arg id "$id" \
                'arrays |= map(if .id == $id then .status |= sub("health: starting"; "healthy") else . end)'
        })
    done
}

asked_now && printf '%s\n' "${fleet_containers%%
\"*}"

# shellcheck shell=sh
# The engine's version, and the containers of the Compose project $project as JSON. What was asked serves the scripts behind it.

#include lib/containers.sh
{ [ -n "$fleet_containers" ] || fleet_containers=$(ask_docker); } && printf '%s\n' "$fleet_containers" | sed '/^"/d'

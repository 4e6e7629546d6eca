# shellcheck shell=sh
# The merged project in the stack's folder $root, as Compose reads it, as JSON. The resolved configuration holds secrets, so only the
# names under `depends_on` are let through, and whether something is done to a container by Compose itself when it starts it: a hook
# is run, or a secret or config copied in that is no file.

cd -- "$root" || exit 1
hashes=$(timeout 60 docker compose config --hash '*') && config=$(timeout 60 docker compose config --format json) || exit 1
printf '%s\n' "$config" | jq --ascii-output --compact-output --exit-status --arg hashes "$hashes" '
    [(.configs, .secrets)[]? | select(has("content") or has("environment"))] as $copied
    | [.services[]?.post_start // empty | select(. != [])] as $hooks
    | {
        definitions: ([$hashes | split("\n")[] | select(. != "") | split(" ") | {key: .[0], value: .[-1]}] | from_entries),
        needs: (.services // {} | map_values(.depends_on // {} | keys)),
        starter: (if $copied == [] and $hooks == [] then "docker" else "compose" end)
    }'

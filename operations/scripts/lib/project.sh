# The Compose project of a stack's folder, which is the current one: what its own files $compose_files say, and what lies over those.

#jq lib/overlay.jq

# Compose, for the files $merged, as if they were in the project's folder; $dotenv: the file with its variables
compose() {
    # shellcheck disable=SC2086 # no path among them holds a blank
    timeout 60 docker compose --project-directory "$folder" --env-file "$dotenv" $merged "$@"
}

# sets $folder and $merged: the own files that are there; what $1 is given for those that are not
own_files() {
    folder=$(dirname -- "${compose_files%%
*}") merged='' existing=
    for file in $compose_files; do
        if [ -f "$file" ]; then merged="$merged -f $file" existing=yes; elif [ -n "$1" ]; then merged="$merged -f $1/$file"; fi
    done
}

refused() {
    echo "Compose does not accept the merged project; nothing was replaced. It says:" >&2
    printf '%s\n' "$said" | sed 's#://[^@ /]*@#://*MASKED*@#g' | tail -n 5 >&2
    exit 1
}

# what lies over the services of $overlays that the project $1 defines itself; sets $said where that cannot be told
overlay_of() {
    raw=$(compose --profile '*' config --no-interpolate --format json 2>/dev/null) || return 1
    # the command of an image is asked for where a service has none of its own
    images=$(printf '%s\n' "$overlays" "$1" | jq -nr 'input as $asked | input.services | to_entries[]
        | select($asked[.key].options.variable and .value.command == null and .value.entrypoint == null) | "\(.key) \(.value.image // "")"' |
        while read -r name image; do
            printf '{"%s":%s}\n' "$name" "$(docker image inspect --format '{{json .Config.Cmd}}' "$image" 2>/dev/null || echo null)"
        done | jq -cn 'reduce inputs as $one ({}; . + $one)')
    printf '%s\n' "$overlays" "$1" "$raw" "$images" | jq -nr "$overlay_jq" 2>&1
}

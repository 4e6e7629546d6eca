# shellcheck shell=sh
# What the Compose project in folder $root says without our files, and what those would change of it, as JSON; nothing is written there.
#   $project         its name
#   $compose_files   the project's own files
#   $overlays        service -> what is laid over it where the project defines it, as JSON: see Stack.overlays
#   $written         what is written into .env: key -> value, as JSON
#   $masks           texts to mask, one a line
# No value of a service's environment leaves the host but URLs without their login; what else is shown is masked.

#include lib/mask.sh
#include lib/project.sh
#jq lib/differences.jq
cd -- "$root" 2>/dev/null || exit 0
umask 077
own_files ''
if [ -z "$existing" ]; then
    echo '{"services": {}}'
    exit 0
fi
stage=$(mktemp -d) || exit 1
trap 'rm -rf -- "$stage"' EXIT
trap 'exit 1' HUP INT TERM

# as Compose would read it without us
dotenv=.env
[ -f .env ] || { dotenv=$stage/.env && : >"$dotenv"; }

not_taken() {
    printf '%s\n' "${said:-$(cat "$stage/said")}" | masked | tail -n 5 | jq -Rnca '{services: {}, refused: [inputs] | join(" ")}'
    exit 0
}
said=
own=$(compose --profile '*' config --format json 2>"$stage/said") || not_taken
said=$(overlay_of "$own") || not_taken
printf '%s\n' "$said" >"$stage/overlay.yml"
own_files=$merged
for name in $(printf '%s\n' "$overlays" "$own" | jq -nr 'input as $asked | input.services | keys[] | select($asked[.])'); do
    printf '%s\n' "$overlays" | jq -r --arg name "$name" '.[$name].text' >"$stage/$name.yml" || exit 1
    merged="$merged -f $stage/$name.yml"
done
merged="$merged -f $stage/overlay.yml"
said=
with=$(compose --project-name "$project" --profile '*' config --format json 2>"$stage/said") || not_taken
printf '%s\n' "$own" "$with" | jq -n "$differences_jq" >"$stage/differences" || exit 1
# what is written into .env comes into the containers that have it as an env file
# shellcheck disable=SC2086 # no path among them holds a blank
if grep -Eqs "(^|[]\"' /[,])\.env([]\"' ,}]|\$)" -- $compose_files; then
    reading=$(merged=$own_files && compose --profile '*' config --no-interpolate --format json 2>/dev/null |
        jq -c --arg file "$PWD/.env" '[.services | to_entries[] | select(any(.value.env_file[]?; (.path? // .) == $file)) | .key]') || reading='[]'
    printf '%s\n' "$overlays" "$written" "$own" "$(cat "$stage/differences")" "${reading:-[]}" | jq -n '
        input as $asked | input as $written | input as $own | input as $differences | input as $reading
        | $differences + [$reading[] as $name | select($asked[$name].inline | not) | $written | to_entries[]
            | [$name, "environment.\(.key)", ($own.services[$name].environment[.key] // ""), .value] | select(.[2] != .[3])]' \
        >"$stage/more" && mv "$stage/more" "$stage/differences" || exit 1
fi
# those without a profile are active
active=$(printf '%s\n' "$own" | jq -c '[.services | to_entries[] | select((.value.profiles // []) == []) | .key]')
if ! printf '%s\n' "$own" "$active" | jq -ne 'input as $own | input as $active | $own.services | keys - $active == []' >/dev/null; then
    merged=$own_files
    active=$(compose config --services 2>"$stage/said" | jq -Rnc '[inputs]')
fi

# a secret is masked in a text of its own, so that what is masked is still JSON
masked_differences=$(jq -ca '.[]' "$stage/differences" | masked | jq -cs .) || exit 1
printf '%s\n' "$overlays" "$own" "$masked_differences" "$active" | jq -nca '
    input as $asked | input as $own | input as $differences | input as $active
    | {services: ($own.services | with_entries(.key as $name | .value |= {
        user: (.user // "" | tostring),
        named: (.container_name != null),
        image: (.image // "")[:300],
        network: (.network_mode // "")[:300],
        profiles: (if IN($name; $active[]) then [] else .profiles // [] end),
        keys: [.environment // {} | to_entries[] | select(.value != null) | .key | select(IN($asked[$name].env[]?))],
        urls: (.environment // {} | with_entries(select(.key | IN($asked[$name].urls[]?))
            | .value = (.value // "" | capture("^(?<scheme>[a-z][a-z0-9+.-]*)://(?:.*@)?(?<rest>[^@]{1,300})$") // null
                | if . then "\(.scheme)://\(.rest)" else "" end) | select(.value != "" and (.value | test("pass"; "i") | not))))
      })),
      $differences}'

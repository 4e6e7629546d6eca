# shellcheck shell=sh
# Writes the project's files (compose.yml, .env, compose.d) below $root, as the list $files says, after Compose has accepted them
# merged; whatever it refuses replaces nothing.
#   $compose_files   the project's own files
#   $clients         service -> {file, keys}, as JSON: its env file, and the managed keys in it

#include lib/mutex.sh
#include lib/put.sh
mkdir -p -- "$root" && cd -- "$root" || exit 1
umask 077
mkdir -p .fleet || exit 1
take_mutex

# the files as they will be, in a folder of their own
stage=$(mktemp -d .fleet-new.XXXXXXXXXX) && mkdir "$stage/compose.d" || exit 1
made=
trap 'rm -rf -- "$stage"; [ -z "$made" ] || rm -f $made' EXIT
trap 'exit 1' HUP INT TERM
[ ! -f .env ] || cp -p --no-dereference .env "$stage/"
printf '%s\n' "$files" | put "$root/$stage" >/dev/null || exit 1

# the project's own files come first, from where they are; then the fragments; no path among them holds a blank
merged='' existing='' folder=$(dirname -- "${compose_files%%
*}")
for file in $compose_files; do
    if [ -f "$file" ]; then merged="$merged -f $file" existing=yes; else merged="$merged -f $stage/$file"; fi
done
for fragment in "$stage"/compose.d/*.yml; do [ ! -e "$fragment" ] || merged="$merged -f $fragment"; done

# Compose wants the env files to be there, which are written after this; an empty one is taken away again if this fails
for file in $(printf '%s\n' "$clients" | jq -r '.[].file'); do
    [ -e "$file" ] && continue
    (umask 022 && mkdir -p "$(dirname "$file")") && (set -C && : >"$file") || exit 1
    made="$made $file"
done

compose() {
    # shellcheck disable=SC2086
    docker compose --project-directory "$folder" --env-file $stage/.env $merged "$@"
}

refused() {
    echo "Compose does not accept the merged project; nothing was replaced. It says:" >&2
    printf '%s\n' "$said" | sed 's#://[^@ /]*@#://*MASKED*@#g' | tail -n 5 >&2
    exit 1
}

# What a service's `environment` sets overrides its env file. A fragment takes such keys out of a mapping; Compose knows no way to
# take them out of a list. So of the services whose own list has one, the list is written again without it, variables as they stand.
own=compose.d/.environment.yml
echo 'services: {}' >"$stage/$own"
if [ -n "$existing" ] && [ "$clients" != '{}' ]; then
    said=$(compose config --quiet 2>&1) || refused
    {
        echo services:
        printf '%s\n' "$clients" | jq -r 'keys[] | "  \(tojson):\n    env_file: !reset []"'
    } >"$stage/bare.yml"
    # without its warnings, which would be no JSON
    said=$(compose -f "$stage/bare.yml" config --no-interpolate --format json 2>/dev/null) || refused
    # JSON is YAML, but for the tag
    printf '%s\n' "$clients" "$said" | jq -rn '
        def name: sub("=.*$"; ""; "m");
        input as $clients | (input.services // {})
        | [to_entries[] | ($clients[.key].keys // []) as $keys | select(.value.environment | type == "array")
            | select(any(.value.environment[]; name as $name | $keys | index([$name])))
            | "  \(.key | tojson):\n    environment: !override \([.value.environment[] | select(name as $name | $keys | index([$name]) | not)] | tojson)"]
        | if . == [] then "services: {}" else
            "# Lists of the project'"'"'s own files without what is in env files, made from them. Do not edit: change those.",
            "services:", .[] end' >"$stage/$own" || exit 1
fi
said=$(compose -f "$stage/$own" config --quiet 2>&1) || refused
made=

{
    printf '%s\n' "$files"
    printf 'file\n0600\n-\n%s\n%s\n' "$own" "$(base64 -w 0 "$stage/$own")"
} | put "$root" || exit 1
# the plan asks whether it is older than what it was made from
for file in $compose_files; do if [ "$file" -nt $own ]; then touch $own; fi; done

# shellcheck shell=sh
# Writes the project's files (compose.yml, .env, compose.d) below $root, as the list $files says, after Compose has accepted them
# merged; whatever it refuses replaces nothing.
#   $compose_files   the project's own files
#   $env_files       those that Compose wants to be there, which are written after this
#   $overlays        service -> what is laid over it, as JSON: see Stack.overlays

#include lib/mutex.sh
#include lib/put.sh
#include lib/project.sh
mkdir -p -- "$root" && cd -- "$root" || exit 1
umask 077
mkdir -p .fleet || exit 1
take_mutex

# the files as they will be, in a folder of their own
stage=$(mktemp -d .fleet-new.XXXXXXXXXX) && mkdir "$stage/compose.d" || exit 1
made='' dotenv=$stage/.env
trap 'rm -rf -- "$stage"; [ -z "$made" ] || rm -f $made' EXIT
trap 'exit 1' HUP INT TERM
[ ! -f .env ] || cp -p --no-dereference .env "$stage/"
printf '%s\n' "$files" | put "$root/$stage" >/dev/null || exit 1

# an empty one is taken away again if this fails
for file in $env_files; do
    [ -e "$file" ] && continue
    (umask 022 && mkdir -p "$(dirname "$file")") && (set -C && : >"$file") || exit 1
    made="$made $file"
done

# the project's own files come first, from where they are; then the fragments; no path among them holds a blank
own_files ''
own=compose.d/.overlay.yml
echo 'services: {}' >"$stage/$own"
if [ -n "$existing" ] && [ "$overlays" != '{}' ]; then
    defined=$(compose --profile '*' config --format json 2>"$stage/said") || {
        said=$(cat "$stage/said")
        refused
    }
    said=$(overlay_of "$defined") || refused
    [ "$said" = 'services: {}' ] ||
        printf '%s\n' "# Made from the project's own files, for what its services need. Do not edit: change those, then deploy." "$said" \
            >"$stage/$own" || exit 1
fi
own_files "$stage"
for fragment in "$stage"/compose.d/*.yml; do [ ! -e "$fragment" ] || merged="$merged -f $fragment"; done
said=$(compose -f "$stage/$own" config --quiet 2>&1) || refused
made=

{
    printf '%s\n' "$files"
    printf 'file\n0600\n-\n%s\n%s\n' "$own" "$(base64 -w 0 "$stage/$own")"
} | put "$root" || exit 1
# the plan asks whether it is older than what it was made from
for file in $compose_files .env; do if [ "$file" -nt $own ]; then touch $own; fi; done
rm -f compose.d/.environment.yml # of 0.1

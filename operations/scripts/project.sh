# shellcheck shell=sh
# Writes the project's files (compose.yml, .env, compose.d) below $1, after Compose has accepted them merged.
#   project <root> <text of put.sh> <the project's own files…> -- <service>=<its env file>=<managed keys, by commas>…
# Standard input: the list for put.sh.
# Whatever Compose refuses replaces nothing.

root=$1 put=$2
shift 2
list=$(cat)
mkdir -p -- "$root" && cd -- "$root" || exit 1
umask 077
mkdir -p .fleet || exit 1
#include mutex.sh

# the files as they will be, in a folder of their own
stage=.fleet/stage
rm -rf $stage
mkdir -p $stage/compose.d
trap 'rm -rf "$stage"; [ -z "$made" ] || rm -f $made' EXIT
trap 'exit 1' HUP INT TERM
made=
[ ! -f .env ] || cp -p .env $stage/
printf '%s\n' "$list" | sh -c "$put" put "$root/$stage" >/dev/null || exit 1

# the project's own files come first, from where they are; then the fragments; no path among them holds a blank
folder=$(dirname -- "$1") files=
while [ "$1" != -- ]; do
    if [ -f "$1" ]; then files="$files -f $1"; else files="$files -f $stage/$1"; fi
    shift
done
shift
for fragment in "$stage"/compose.d/*.yml; do files="$files -f $fragment"; done

# Compose wants the env files to be there, which are written after this; an empty one is taken away again if this fails
for client in "$@"; do
    file=${client#*=} file=${file%%=*}
    [ -e "$file" ] && continue
    mkdir -p "$(dirname "$file")"
    : >"$file" || exit 1
    made="$made $file"
done

compose() {
    # shellcheck disable=SC2086
    docker compose --project-directory "$folder" --env-file $stage/.env $files "$@"
}

if ! said=$(compose config --quiet 2>&1); then
    echo "Compose does not accept the merged project; nothing was replaced. It says:" >&2
    echo "$said" | sed 's#://[^@ /]*@#://*MASKED*@#g' | tail -n 5 >&2
    exit 1
fi

# What a service's `environment` sets beats its env file. A fragment takes such keys out where they are a mapping; Compose knows
# no way to take them out of a list. So the project is read once more without any env file, and only names are let through.
if [ $# -gt 0 ]; then
    {
        echo services:
        for client in "$@"; do printf '  %s:\n    env_file: !reset []\n' "${client%%=*}"; done
    } >$stage/bare.yml
    beaten=$(compose -f $stage/bare.yml config 2>/dev/null | awk -v clients="$*" '
        BEGIN {
            for (n = split(clients, client, " "); n; n--) {
                split(client[n], part, "=")
                for (k = split(part[3], key, ","); k; k--) managed[part[1], key[k]] = part[2]
            }
        }
        /^[^ ]/     { services = ($0 == "services:"); next }
        !services   { next }
        /^  [^ ]/   { service = $1; sub(/:$/, "", service); next }
        /^    [^ ]/ { environment = ($1 == "environment:"); next }
        environment && /^      [^ ]/ {
            name = $1
            sub(/:$/, "", name)
            if ((service, name) in managed) print service ": its `environment` sets " name ", which would beat " managed[service, name] "."
        }')
    if [ -n "$beaten" ]; then
        printf '%s\n' "$beaten" "Nothing was replaced. Take these lines out of the project's own Compose files, then run again." >&2
        exit 1
    fi
fi
made=

printf '%s\n' "$list" | sh -c "$put" put "$root"

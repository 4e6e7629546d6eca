# shellcheck shell=sh
# Writes the project's files (compose.yml, .env, compose.d) below $1, after Compose has accepted them merged.
#   project <root> <text of put.sh> <base> <fragments…>; standard input: the list for put.sh
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
for file in .env compose.yml; do
    [ ! -f $file ] || cp -p $file $stage/
done
printf '%s\n' "$list" | sh -c "$put" put "$root/$stage" >/dev/null || exit 1

# Compose wants the env files to be there, which are written after this; an empty one is taken away again if this fails
for service in "$@"; do
    [ -e "env/$service.env" ] && continue
    mkdir -p env
    : >"env/$service.env" || exit 1
    made="$made env/$service.env"
done

set -- -f $stage/compose.yml
for fragment in "$stage"/compose.d/*.yml; do set -- "$@" -f "$fragment"; done
if ! said=$(docker compose --project-directory . --env-file $stage/.env "$@" config --quiet 2>&1); then
    echo "Compose does not accept the merged project; nothing was replaced. It says:" >&2
    echo "$said" | sed 's#://[^@ /]*@#://*MASKED*@#g' | tail -n 5 >&2
    exit 1
fi
made=

printf '%s\n' "$list" | sh -c "$put" put "$root"

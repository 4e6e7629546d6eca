# shellcheck shell=sh
# The merged project in the stack's folder $1, as Compose reads it: hashes and dependencies. The resolved configuration holds
# secrets, so only the names under `depends_on` are let through, and whether something is done to a container by Compose itself when
# it starts it: a hook is run, or a secret or config copied in that is no file.

cd -- "$1" || exit 1

hashes=$(docker compose config --hash '*') || exit 1
echo "$hashes" | while read -r service hash; do printf 'hash\t%s\t%s\n' "$service" "$hash"; done

config=$(docker compose config) || exit 1

# Compose prints its own form whatever the files look like: services at two blanks, their keys at four, dependencies at six
printf '%s\n' "$config" | awk '
    /^[^ ]/      { services = ($0 == "services:"); copied = ($0 == "secrets:" || $0 == "configs:"); next }
    copied && /^    (content|environment):/ { print "starts\tcompose\t" }
    !services    { next }
    /^  [^ ]/    { service = $1; sub(/:$/, "", service); gsub(/"/, "", service); depends = 0; next }
    /^    post_start:/ { print "starts\tcompose\t" }
    /^    [^ ]/  { depends = ($1 == "depends_on:"); next }
    depends && /^      [^ ]/ { name = $1; sub(/:$/, "", name); gsub(/"/, "", name); printf "needs\t%s\t%s\n", service, name }
'

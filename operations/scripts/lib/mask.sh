# Standard input with the secrets in it replaced: those in $masks (one a line), all that lies in secrets/ of the stack's folder $root,
# what its env files call a password, secret, token, key or the like, and any password in a URL.
# + 1: what awk does with each line, which is there as mask($0); prints it when left out

#awk lib/mask.awk
#awk lib/percent.awk

masked() {
    action=${1:-'{ print mask($0) }'}
    # a pipe in a file's place would never end
    set -- from=secrets
    for file in "$root"/secrets/* "$root"/secrets/*/*; do [ ! -f "$file" ] || [ ! -r "$file" ] || set -- "$@" "$file"; done
    set -- "$@" from=env
    for file in "$root"/.env "$root"/env/*.env "$root"/*.yml "$root"/*.yaml; do [ ! -f "$file" ] || [ ! -r "$file" ] || set -- "$@" "$file"; done
    printf '%s\n' "$masks" | LC_ALL=C awk "$mask_awk$percent_awk$action" from=secrets - "$@" from=text /dev/fd/3
} 3<&0

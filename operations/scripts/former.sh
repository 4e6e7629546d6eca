# Every password that a stack's own files, and Docker's description of its redis, hold: a line each, place, tab, password. They
# are for this host's own use and never printed. What is found more than once comes once; each is to be tried against redis.
#   former <root> <project> <id of redis' container, or "">
former() (
    cd -- "$1" 2>/dev/null || exit 0
    json=$(
        cat <<'AWK'
#include json.awk
AWK
    )
    rules=$(
        cat <<'AWK'
#include former.awk
AWK
    )
    {
        # of a secret's file the first line is the secret
        find secrets -maxdepth 2 -type f -size -8k 2>/dev/null | while IFS= read -r file; do
            [ "${file##*.}" = acl ] || { printf '%s\t' "$file" && head -n 1 -- "$file" && echo; }
        done
        find . -maxdepth 3 \( -path ./data -o -path ./backups -o -path ./.fleet -o -path ./.git \) -prune -o -type f -size -256k \
            \( -name '*.yml' -o -name '*.yaml' -o -name '*.env' -o -name '.env*' -o -name '*.conf' -o -name '*.acl' \) -print |
            while IFS= read -r file; do awk -v place="${file#./}" "$rules" "$file"; done
        if [ -n "$3" ]; then
            described=$(curl --silent --fail --max-time 10 --unix-socket /var/run/docker.sock "http://docker/containers/$3/json")
            printf '%s\n' "$described" | awk "$json"'
                function leaf(path, value) {
                    value = plain(value)
                    gsub(/\\[nt]/, " ", value)
                    if (path ~ /^\/Config\/(Cmd|Entrypoint|Env)\/|^\/Args\//) print value
                }
                function finish() {}
            ' | awk -v place="Docker'\''s description of redis" "$rules"
            printf '%s\n' "$described" | awk "$json"'
                function leaf(path, value) {
                    if (path ~ /^\/Mounts\/[0-9]+\/Source$/) source = plain(value)
                    if (path ~ /^\/Mounts\/[0-9]+\/Destination$/) print source "\t" plain(value)
                }
                function finish() {}
            ' | while IFS='	' read -r source target; do
                [ -f "$source" ] || continue
                case $target in
                *.conf | *.acl) awk -v place="$source" "$rules" "$source" ;;
                *) printf '%s\t' "$source" && head -n 1 -- "$source" && echo ;;
                esac
            done
        fi
    } | awk -F '\t' 'NF == 2 && length($2) > 0 && length($2) < 512 && !seen[$2]++ { sub(/\r$/, "", $2); print $1 "\t" $2 }'
)

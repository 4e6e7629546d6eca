#awk services/redis/passwords.awk
#awk lib/percent.awk
# Every password that the stack's files in $root and Docker's description of the container $1 call redis': a line each, place, tab,
# password. They are for this host's own use and never printed. What is found more than once comes once.
# A secret's file counts where its name says that it is redis', or where redis' container has it: no other secret is ever tried.
# shellcheck disable=SC2016 # awk's own
first_awk='FNR == 1 { place = FILENAME; gsub(/[\t\n]/, "?", place); print place "\t" $0 }'
passwords_found() (
    cd -- "$root" 2>/dev/null || exit 0
    export LC_ALL=C
    {
        find secrets -maxdepth 2 -type f -size -8k \( -ipath '*redis*' -o -ipath '*valkey*' \) ! -name '*.acl' \
            -exec awk "$first_awk" {} + 2>/dev/null
        find . -maxdepth 3 \( -path ./data -o -path ./backups -o -path ./.fleet -o -path ./.git \) -prune -o -type f -size -256k \
            \( -name '*.yml' -o -name '*.yaml' -o -name '*.env' -o -name '.env*' -o -name '*.conf' -o -name '*.acl' \) \
            -exec awk "$passwords_awk$percent_awk" {} + 2>/dev/null
        if [ -n "$1" ]; then
            described=$(curl --silent --fail --max-time 10 --unix-socket "$docker_socket" "http://docker/containers/$1/json")
            printf '%s\n' "$described" | jq --raw-output '[.Config.Cmd, .Config.Entrypoint, .Config.Env, .Args][]? | .[]? | gsub("[\n\t]"; " ")' 2>/dev/null |
                awk -v acl=yes -v place="Docker's description of redis" "$passwords_awk$percent_awk"
            # names that sh could not read again are passed over
            printf '%s\n' "$described" | jq --raw-output '.Mounts[]? | select(.Source + .Destination | test("[\n\t]") | not) | "\(.Source)\t\(.Destination)"' 2>/dev/null |
                while IFS='	' read -r source target; do
                    [ -f "$source" ] || continue
                    case $target in
                    *.conf | *.acl) awk "$passwords_awk$percent_awk" "$source" ;;
                    *) awk "$first_awk" "$source" ;;
                    esac
                done
        fi
    } | awk -F '\t' 'NF == 2 && length($2) > 0 && length($2) < 512 { sub(/\r$/, "", $2); if (!seen[$2]++) print $1 "\t" $2 }'
)

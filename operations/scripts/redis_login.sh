# shellcheck shell=bash
#include former.sh

# sets `login`, what logs in the user $5 to the redis at $4 (project $2, folder $1, container $3) with the password of the file $6 or
# any other that was found, and fails where nothing does
redis_login() {
    local password
    while IFS= read -r password; do
        login=$(printf '%s\n' "$password" | redis_auth "${5:-default}")$'\n'
        case $({ printf '%sPING\r\nQUIT\r\n' "$login"; } | redis_say "$4" 6379 | tr -d '\r') in
        *+PONG*) return 0 ;;
        esac
    done < <(
        cat -- "$1/${6:-secrets/redis/password}" 2>/dev/null || echo
        former "$1" "$2" "$3" 2>/dev/null | cut -f 2 2>/dev/null
    )
    return 1
}

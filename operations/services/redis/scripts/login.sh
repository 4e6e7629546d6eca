# shellcheck shell=bash
#include services/redis/questions.sh
#include services/redis/passwords.sh

# Sets `login`, what logs $user in to the redis in the container $1 at the address $2, with the password of $password_file or
# any other that was found; fails where nothing does.
redis_login() {
    local password
    while IFS= read -r password; do
        login=$(printf '%s\n' "$password" | redis_auth "$user")$'\n'
        case $(printf '%sPING\r\nQUIT\r\n' "$login" | redis_say "$2" | tr -d '\r\0') in
        *+PONG*) return 0 ;;
        esac
    done < <(password_of | head -n 1 && passwords_found "$1" | head -n 50 | cut -f 2)
    return 1
}

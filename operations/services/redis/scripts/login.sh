# shellcheck shell=bash
#include services/redis/questions.sh
#include services/redis/passwords.sh

# The users that may be able to change what redis accepts: the one that the password file names, and $users.
redis_names() {
    printf '%s\n' "$(user_in "$root/$password_file")" "$users" | awk '!seen[$0]++'
}

# Sets `login`, what logs one of them in to the redis in the container $1 at the address $2, with the password of $password_file or
# any other that was found, `name` and `password`, which it is made of, and `greeting`, what redis says to it; fails where nothing does.
redis_login() {
    name=$(user_in "$root/$password_file") password=$(password_in "$root/$password_file")
    redis_greets "$2" && return
    while IFS= read -r password; do
        for name in $(redis_names); do redis_greets "$2" && return; done
    done < <(passwords_found "$1" | head -n 50 | cut -f 2 2>/dev/null)
    return 1
}

redis_greets() {
    login=$(printf '%s\n' "$password" | redis_auth "$name")$'\n'
    greeting=$(printf '%sPING\r\nQUIT\r\n' "$login" | redis_say "$1" | tr -d '\r\0')
    case $greeting in *+PONG*) ;; *) return 1 ;; esac
}

#include services/redis/questions.sh
#include services/redis/passwords.sh

# The logins that may be redis': each password that was found on the host, for the container $1, with each user that may be able to
# change what redis accepts: that of the password file, and $users. A line each: place, user and password, with tabs between them.
redis_logins() (
    redis_auth_in "$root/$password_file"
    names=$(printf '%s\n' "$name" "$users" | awk '!seen[$0]++')
    passwords_found "$1" | head -n 50 | while IFS='	' read -r place password; do
        for name in $names; do printf '%s\t%s\t%s\n' "$place" "$name" "$password"; done
    done
)

# Sets `login`, what logs in to the redis in the container $1 at the address $2, with the password of $password_file or any other that
# was found, `name` and `password`, which it is made of, and `greeting`, what redis says to it; fails where nothing does.
redis_login() {
    redis_auth_in "$root/$password_file"
    redis_greets "$2" && return
    logins=$(redis_logins "$1")
    while IFS='	' read -r _ name password; do
        redis_auth "$name" "$password"
        redis_greets "$2" && return
    done <<END
$logins
END
    return 1
}

redis_greets() {
    greeting=$(printf '%sPING\r\nQUIT\r\n' "$login" | redis_say "$1" | tr -d '\r\0')
    case $greeting in *+PONG*) ;; *) return 1 ;; esac
}

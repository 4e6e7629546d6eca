# shellcheck shell=bash
# Asks redis, the service $server of the project $project in folder $root; where $at is given, the redis at that host:port. $user logs
# in with the password in $password_file.

#include services/redis/questions.sh

address=$at
if [ -z "$address" ]; then
    read -r _ address < <(redis_container)
    [ -n "$address" ] || exit 1
    address=$address:6379
fi
password_of | redis_questions "$address" "$user"

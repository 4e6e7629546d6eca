# shellcheck shell=bash
# Asks redis, the service $server of the project $project in folder $root; where $at is given, the redis at that host:port. The login is
# that of $password_file; where it names no user, the first of $users. $dry: see questions.sh.

#include services/redis/questions.sh

address=$at
if [ -z "$address" ]; then
    read -r _ address < <(redis_container)
    [ -n "$address" ] || exit 1
    address=$address:6379
fi
login=$(redis_auth_of "$root/$password_file")$'\n'
redis_questions "$address"

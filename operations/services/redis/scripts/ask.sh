# shellcheck shell=sh
# Asks redis, the service $server of the project $project in folder $root; where $at is given, the redis at that host:port. The login is
# that of $password_file; where it names no user, the first of $users. $dry: see questions.sh.

#include services/redis/questions.sh

address=$at
if [ -z "$address" ]; then
    found=$(server_container) || exit 1
    address=${found#* }:6379
fi
redis_auth_in "$root/$password_file"
redis_questions "$address"

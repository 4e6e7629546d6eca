# shellcheck shell=bash
# Asks redis of the stack in folder $1, project $2; where $3 is given, the redis at that host:port. $4 logs in, with the password
# in the file $5 of that folder.

#include redis_ask.sh

address=$3
if [ -z "$address" ]; then
    address=$(redis_address "$2")
    [ -n "$address" ] || exit 1
    address=$address:6379
fi
{ cat -- "$1/$5" 2>/dev/null || echo; } | redis_ask "$address" "$4"

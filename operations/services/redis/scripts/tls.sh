# shellcheck shell=bash
# Redis, the service $server of the project $project in folder $root, gets the files of $files (see lib/put.sh) and is told $changes, a
# line of words for CONFIG SET each, which has it read its certificate again. Where it does not take that, it keeps the one that it had,
# the file $certificate. Where that file has the SHA-256 $back, it gets the one from before. One that does not run reads the files when it
# starts. Who logs in: as set_users.sh has it.

#include lib/mutex.sh
#include lib/put.sh
#include services/redis/login.sh

take_mutex
list_containers || {
    echo "Docker did not answer, so redis was not told what to listen to. Look whether Docker runs, then run the deploy again." >&2
    exit 1
}
read -r container address < <(server_container)
cd -- "$root" || exit 1
umask 077

previous=$certificate.previous
keep() { [ ! -f "$certificate" ] || { cp -p -- "$certificate" "$previous.new" && mv -f -- "$previous.new" "$previous"; }; }
bring_back() { [ ! -f "$previous" ] || mv -f -- "$previous" "$certificate"; }

if [ -n "$back" ]; then
    [ "$(sha256sum <"$certificate")" != "$back  -" ] || bring_back
else
    case $files in *"$certificate"*) keep || exit 1 ;; esac
fi
printf '%s\n' "$files" | put "$root" || exit 1
[ -n "$address" ] || exit 0
address=$address:6379
redis_login "$container" "$address" || {
    echo "redis did not let anybody in, so it was not told what to listen to. Read \`docker compose logs $server\` in $root." >&2
    exit 1
}
answer=$(
    {
        printf '%s' "$login"
        printf '%s\n' "$changes" | while IFS= read -r words; do printf 'CONFIG SET %s\r\n' "$words"; done
        printf 'QUIT\r\n'
    } | redis_say "$address" | tr -d '\r\0' | sed 1d
)
if [ "$(printf '%s\n' "$answer" | grep -cx '+OK')" -le "$(printf '%s\n' "$changes" | grep -c .)" ]; then
    bring_back
    echo "redis did not take what it should listen to: it answered \"$(printf '%s\n' "$answer" | grep -m 1 '^-')\". It keeps the" \
        "certificate that it had. Read \`docker compose logs $server\` in $root, then run the deploy again." >&2
    exit 1
fi

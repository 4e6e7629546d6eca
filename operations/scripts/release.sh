# shellcheck shell=sh
# Notes in the stack's folder $1 what run $2 did there (a line on standard input, or none), and gives its lock back.

cd -- "$1" 2>/dev/null || exit 0
umask 077
line=$(cat)
status=0
if [ -n "$line" ]; then
    # a line that was cut off by a full disk stays alone
    [ ! -s .fleet/history.jsonl ] || [ -z "$(tail -c 1 .fleet/history.jsonl)" ] || echo >>.fleet/history.jsonl
    printf '%s\n' "$line" >>.fleet/history.jsonl && sync .fleet/history.jsonl || status=1
fi
if grep -q "\"run\": \"$2\"" .fleet/lock/owner 2>/dev/null; then
    rm -rf .fleet/lock
fi
exit $status

# shellcheck shell=sh
# Notes in the stack's folder $root what run $run did there ($line, or nothing) and what servers had counted ($counters, or nothing),
# and gives its lock back.

#include lib/mutex.sh
#include lib/history.sh
cd -- "$root" 2>/dev/null || exit 0
umask 077
status=0
[ -z "$line" ] || note "$line" || status=1
if [ -n "$counters" ]; then
    { printf '%s\n' "$counters" >.fleet/counters.new && mv -f .fleet/counters.new .fleet/counters.json; } || status=1
fi
if [ "$(run_of .fleet/lock)" = "$run" ]; then rm -rf .fleet/lock; fi
exit $status

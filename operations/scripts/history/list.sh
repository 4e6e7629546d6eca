# shellcheck shell=sh
# The last $last lines of the history of the stack in folder $root, as base64.

cd -- "$root" 2>/dev/null && [ -f .fleet/history.jsonl ] || exit 0
timeout 10 tail -n "$last" .fleet/history.jsonl | tail -c 1048576 | base64 -w 0
echo

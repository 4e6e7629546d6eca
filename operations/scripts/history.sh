# shellcheck shell=sh
# The last $2 lines of the history of the stack in folder $1.

cd -- "$1" 2>/dev/null && [ -f .fleet/history.jsonl ] || exit 0
tail -n "$2" .fleet/history.jsonl

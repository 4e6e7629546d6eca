# Adds the line $1 to the history of the stack in the current folder.
note() {
    # a line that was cut off by a full disk stays alone
    [ ! -s .fleet/history.jsonl ] || [ -z "$(tail -c 1 .fleet/history.jsonl)" ] || echo >>.fleet/history.jsonl
    # cat says why it cannot write, printf does not; no line is more than one
    { printf '%s' "$1" | tr '\n' ' ' && echo; } | cat >>.fleet/history.jsonl && sync .fleet/history.jsonl
}

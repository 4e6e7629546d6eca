# Adds a line on standard input to the history of the stack in the current folder.
note() {
    # a line that was cut off by a full disk stays alone
    [ ! -s .fleet/history.jsonl ] || [ -z "$(tail -c 1 .fleet/history.jsonl)" ] || echo >>.fleet/history.jsonl
    cat >>.fleet/history.jsonl && sync .fleet/history.jsonl
}

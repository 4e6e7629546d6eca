# How Compose reads env files: a statement is a line, but a quoted value may go on over several.

# the name that a line sets, or ""; leaves what stands behind the sign in `value`
function key_of(line) {
    value = ""
    sub(/^[ \t]+/, "", line)
    sub(/^export[ \t]+/, "", line)
    if (!match(line, /^[^=:# \t\r]+/)) return ""
    value = substr(line, RLENGTH + 1)
    line = substr(line, 1, RLENGTH)
    sub(/^[ \t]+/, "", value)
    value = value ~ /^[=:]/ ? substr(value, 2) : ""
    sub(/^[ \t]+/, "", value)
    return line
}

# the quote that is still open behind `text`; `quote` is the one that is open before it
function open_quote(text, quote,   i, c) {
    i = 1
    if (quote == "") {
        quote = substr(text, i++, 1)
        if (quote != "'" && quote != "\"") return ""
    }
    for (; i <= length(text); i++) {
        c = substr(text, i, 1)
        if (c == "\\") i++
        else if (c == quote) {
            # python-dotenv drops what follows, Compose takes it for the next statement
            if (substr(text, i + 1) ~ /^[ \t]*[^# \t\r].*[=:]/) unclear = 1
            return ""
        }
    }
    return quote
}

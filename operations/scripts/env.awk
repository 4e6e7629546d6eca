# Reads env files as Compose does: a statement is a line, but a quoted value may go on over several.
#   mode=seen  keys: names parted by blanks; standard input: the text. Prints those that are set: name, how often, statement.
#   mode=edit  standard input: the managed lines, `##fleet:text`, the text. Prints the text with the managed lines in place.
# Ends with status 3 where a quote is opened and never closed, or another statement follows a closed one on its line: then
# nobody can tell the statements apart. Ends with status 4 where the managed lines were cut off.

BEGIN { if (mode == "seen") { names = split(keys, name, " "); in_text = 1 } }

!in_text && $0 == "##fleet:text" { in_text = 1; next }
!in_text {
    key = substr($0, 1, index($0, "=") - 1)
    name[++names] = key
    wanted[key] = $0
    next
}

quote != "" {
    quote = open_quote($0, quote)
    statement[key] = "(several lines)"
    if (mode == "edit" && !(key in wanted)) print
    next
}

{
    key = key_of($0)
    if (key != "") { count[key]++; statement[key] = $0; quote = open_quote(value, "") }
    if (mode == "seen") next
    if (!(key in wanted)) print
    else if (count[key] == 1) print wanted[key]
}

END {
    if (!in_text) exit 4
    if (quote != "" || unclear) exit 3
    for (i = 1; i <= names; i++) {
        key = name[i]
        if (mode == "seen" && count[key]) printf "%s\t%d\t%s\n", key, count[key], statement[key]
        if (mode == "edit" && !count[key]) print wanted[key]
    }
}

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

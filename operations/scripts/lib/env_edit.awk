# Sets managed lines in an env file, which Compose reads: a statement is a line, but a quoted value may go on over several.
# Standard input: the managed lines, `##fleet:text`, the text. Prints the text with the managed lines in place; needs env_lines.awk.
# Ends with status 3 where a quote is opened and never closed, or another statement follows a closed one on its line: then
# nobody can tell the statements apart. Ends with status 4 where the managed lines were cut off.

!in_text && $0 == "##fleet:text" { in_text = 1; next }
!in_text {
    key = substr($0, 1, index($0, "=") - 1)
    name[++names] = key
    managed[key] = $0
    next
}

quote != "" {
    quote = open_quote($0, quote)
    if (!(key in managed)) print
    next
}

{
    key = key_of($0)
    if (key != "") { count[key]++; quote = open_quote(value, "") }
    if (!(key in managed)) print
    else if (count[key] == 1) print managed[key]
}

END {
    if (!in_text) exit 4
    if (quote != "" || unclear) exit 3
    for (i = 1; i <= names; i++) if (!count[name[i]]) print managed[name[i]]
}

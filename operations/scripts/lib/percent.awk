# The text without the encoding of URLs.
function decoded(text,   out, code) {
    while (match(text, /%[0-9A-Fa-f][0-9A-Fa-f]/)) {
        code = 16 * hex(substr(text, RSTART + 1, 1)) + hex(substr(text, RSTART + 2, 1))
        out = out substr(text, 1, RSTART - 1) sprintf("%c", code)
        text = substr(text, RSTART + 3)
    }
    return out text
}

function hex(digit) { return index("0123456789abcdef", tolower(digit)) - 1 }

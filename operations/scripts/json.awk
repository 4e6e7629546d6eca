# Walks through JSON on standard input and calls leaf(path, value) for every text, number and word in it; a path is made of
# keys and positions, each with a slash before it. Texts keep their escapes; `plain` takes off those that Docker's API uses.

{ json = json $0 "\n" }
END { read_value(""); finish() }

function skip() { sub(/^[ \t\r\n,:]+/, "", json) }

function read_value(path,   position, key) {
    skip()
    if (json ~ /^\{/) {
        for (json = substr(json, 2); skip_to() !~ /^[}]?$/; ) { key = read_text(); read_value(path "/" key) }
        json = substr(json, 2)
    } else if (json ~ /^\[/) {
        for (json = substr(json, 2); skip_to() !~ /^[]]?$/; ) read_value(path "/" position++)
        json = substr(json, 2)
    } else if (json ~ /^"/) {
        leaf(path, read_text())
    } else if (match(json, /^[^],}\n\t ]+/)) {
        key = substr(json, 1, RLENGTH)
        json = substr(json, RLENGTH + 1)
        leaf(path, key)
    } else {
        json = ""
    }
}

function skip_to() { skip(); return substr(json, 1, 1) }

function read_text(   text) {
    skip()
    if (!match(json, /^"([^"\\]|\\.)*"/)) { json = ""; return "" }
    text = substr(json, 2, RLENGTH - 2)
    json = substr(json, RLENGTH + 1)
    return text
}

function plain(text) {
    gsub(/\\u003c/, "<", text)
    gsub(/\\u003e/, ">", text)
    gsub(/\\u0026/, "\\&", text)
    gsub(/\\"/, "\"", text)
    gsub(/\\\\/, "\\", text)
    return text
}

# Reads, for each container of $ids, what curl says of its description and then its log, each with a line `#<status>` behind it; NUL
# comes as \001. Prints the lines that count: id, blank, `auth` or `error`, blank, time, blank, text. `cut off` comes of all else.

BEGIN {
    harmless = ENVIRON["harmless"] # -v would take its backslashes for escapes
    for (i = 0; i < 256; i++) code[sprintf("%c", i)] = i
    containers = split(ids, id, " ")
}

{ line = held $0; held = "" }
line == "" { next }
# each line of a log that is no terminal's begins with eight bytes: stream, three zeros, its length, which may look like a line break
line ~ /^[\001\002]/ {
    while (length(line) > 7 && !whole(length(line) - 7)) {
        # one that is longer than Docker's buffer goes on in the next frame, behind another time
        size = code[substr(line, 7, 1)] * 256 + code[substr(line, 8, 1)]
        piece = substr(line, 9, size)
        if (length(piece) < size) { print "cut off"; exit }
        text = text (text == "" ? piece : substr(piece, index(piece, " ") + 1))
        line = substr(line, 9 + size)
    }
    if (line == "") next
    if (length(line) < 8) { held = line "\n"; next }
    piece = substr(line, 9)
    entry(text == "" ? piece : text substr(piece, index(piece, " ") + 1))
    text = ""
    next
}
/^#[0-9][0-9][0-9]$/ {
    if (text != "") entry(text)
    text = ""
    marks++
    next
}
{ entry(line) }

END { if (marks != 2 * containers) print "cut off" }

# whether the frame ends with the line; a zero and a one cannot be told apart
function whole(size,   high, low) {
    high = code[substr(line, 7, 1)]
    low = code[substr(line, 8, 1)]
    size -= high * 256 + low
    return size == 0 || low == 1 && size == -1 || high == 1 && (size == -256 || low == 1 && size == -257)
}

function entry(said,   time) {
    time = substr(said, 1, 19)
    said = substr(said, index(said, " ") + 1)
    # what steers a terminal; without it, a secret stands in one piece
    if (said ~ /[\001-\037\177]/) {
        gsub(/\033\][^\007\033]*(\007|\033\\)?|\033\[[0-9;?]*[ -\/]*[@-~]|\033[ -~]/, "", said)
        gsub(/\t/, " ", said)
        gsub(/[\001-\037\177]/, "", said)
    }
    if (ENVIRON["refused"] != "" && said ~ ENVIRON["refused"]) tell("auth", time, "")
    if (time < window || (harmless != "" && said ~ harmless)) return
    if (said ~ /ERROR|CRITICAL|FATAL|Traceback|[Pp]anic:|level=(error|fatal)|Error:|[a-z]Error[: ]/) tell("error", time, said)
}

function tell(kind, time, said) { print id[int(marks / 2) + 1], kind, time, said }

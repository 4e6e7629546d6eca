# from=secrets: each line is a secret; from=env: the lines of an env file, some of which hold one; from=text: goes on to what follows
# this program, where mask(text) is the text without them. Needs percent.awk.

BEGIN {
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    for (i = 1; i < 256; i++) code[sprintf("%c", i)] = i
    # not every busybox has ^
    power[0] = 1
    for (i = 1; i < 16; i++) power[i] = 2 * power[i - 1]
}
from != "text" && FNR > (from == "env" ? 20000 : 1000) { next }
from == "secrets" { secret($0); next }
from == "env" {
    for (rest = $0; match(rest, /:\/\/[^ \t"'<>]*@/);) {
        login = substr(rest, RSTART + 3, RLENGTH - 4)
        rest = substr(rest, RSTART + RLENGTH)
        secret(substr(login, index(login, ":") + 1))
    }
    # as an env file has it, or a Compose file
    if (!match($0, /^[ \t]*(-[ \t]+)?(export[ \t]+)?["']?[A-Za-z_][A-Za-z0-9_.-]*["']?[ \t]*[=:][ \t]*/)) next
    if (toupper(substr($0, 1, RLENGTH)) !~ /PASS|PWD|SECRET|TOKEN|KEY|CREDENTIAL|AUTH/) next
    value = substr($0, RLENGTH + 1)
    sub(/[ \t\r]+$/, "", value)
    secret(value)
    # of a list, the whole entry may be quoted
    if (sub(/["']$/, "", value)) secret(value)
    sign = substr(value, 1, 1)
    if (sign == "\"" || sign == "'") {
        value = substr(value, 2)
        for (i = 1; i <= length(value) && substr(value, i, 1) != sign; i++) if (substr(value, i, 1) == "\\") i++
        value = substr(value, 1, i - 1)
        secret(value)
        gsub(/\\/, "", value)
    } else sub(/[ \t]+#.*$/, "", value)
    secret(value)
    next
}

# a secret, and what becomes of it in a URL and in base64
function secret(text,   i, c, coded, small) {
    sub(/[ \t\r]+$/, "", text)
    if (length(text) < 4 || length(text) > 4096 || tolower(text) ~ /^(true|false|none|null)$/) return
    known(text)
    for (i = 1; i <= length(text); i++) {
        c = substr(text, i, 1)
        coded = coded (c ~ /[A-Za-z0-9_.~-]/ ? c : sprintf("%%%02X", code[c]))
        small = small (c ~ /[A-Za-z0-9_.~-]/ ? c : sprintf("%%%02x", code[c]))
    }
    known(coded)
    known(small)
    # as JSON has it
    coded = text
    gsub(/["\\]/, "\\\\&", coded)
    known(coded)
    gsub(/\//, "\\/", coded)
    known(coded)
    text = decoded(text)
    known(text)
    if (length(text) > 7) for (i = 0; i < 3; i++) {
        coded = base64(text, i)
        known(coded)
        gsub(/\+/, "-", coded)
        gsub(/\//, "_", coded)
        known(coded)
    }
}

# the part of the encoding that is the same whatever stands around the text, of which `before` bytes before it
function base64(text, before,   i, bits, held, out, lost) {
    lost = before ? 6 - (8 * before) % 6 : 0
    bits = held = 0
    for (i = 1; i <= length(text); i++) {
        held = held * 256 + code[substr(text, i, 1)]
        bits += 8
        if (lost) { bits -= lost; held %= power[bits]; lost = 0 }
        while (bits >= 6) {
            bits -= 6
            out = out substr(digits, int(held / power[bits]) + 1, 1)
            held %= power[bits]
        }
    }
    return out
}

function known(text) {
    if (text in seen || length(text) < 4) return
    seen[text]
    if (length(text) > longest) longest = length(text)
    of[length(text), ++many[length(text)]] = text
}

# the longest first, so that nothing of them is left
function mask(text,   size, i, at, done) {
    for (size = longest; size > 3; size--)
        for (i = 1; i <= many[size]; i++) {
            for (done = ""; at = index(text, of[size, i]); text = substr(text, at + size))
                done = done substr(text, 1, at - 1) "*MASKED*"
            text = done text
        }
    gsub(/:\/\/[^ \t"'<>]*@/, "://*MASKED*@", text)
    return text
}

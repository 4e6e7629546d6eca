# Passwords of redis as they are written in Compose files, env files, redis' own configuration and command lines: place, tab,
# password, each in the spellings that it may stand for: `$$` is Compose's `$`, and a URL has signs encoded. Needs lib/percent.awk.

FNR == 1 && FILENAME != "" && FILENAME != "-" { place = FILENAME; sub(/^\.\//, "", place); gsub(/[\t\n]/, "?", place) }
/^[ \t]*#/ { next }
{
    text = $0
    # a word that is `--requirepass` alone has its value in the next line, as in the list form of a command
    if (pending) found(text)
    pending = tolower(text) ~ /(^|[ \t"'\-])--requirepass["']?,?[ \t]*$/
    each(text, "--requirepass[\"']?[ \t=,]+")
    each(text, "^[ \t]*(requirepass|masterauth)[ \t]+")
    each(text, "(redis|valkey)s?://[^:@/ \t]*:")
    each(text, "[a-z_]*(redis|valkey)[a-z_]*pass[a-z_]*[\"']?[ \t]*[=:][ \t]*")
    each(text, "rediscli_auth[\"']?[ \t]*[=:][ \t]*")
    each(text, "redis-cli .*-a[ \t,]+")
    each(text, "(^|[ \t])>")
}

# redis does not care about capitals
function each(text, before) {
    while (match(tolower(text), before)) {
        text = substr(text, RSTART + RLENGTH)
        found(text, before ~ /:\/\//)
    }
}

function found(text, url,   quote, value) {
    sub(/^[ \t\-]+/, "", text)
    quote = substr(text, 1, 1)
    if (url) {
        # raw, it may hold what a URL should not: the last @ before a blank ends it
        value = text
        sub(/["'`, \t].*$/, "", value)
        if (match(value, /^.*@/)) value = substr(value, 1, RLENGTH - 1)
        else return
    } else if (quote == "\"" || quote == "'") {
        value = substr(text, 2)
        value = index(value, quote) ? substr(value, 1, index(value, quote) - 1) : value
    } else {
        value = text
        sub(/[ \t].*$/, "", value)
        tell(value)
        sub(/["',\])]+$/, "", value)
    }
    tell(value)
}

function tell(value,   plain) {
    if (value == "" || value ~ /^\$\{/ || value ~ /\t/) return
    print place "\t" value
    plain = value
    if (gsub(/\$\$/, "$", plain)) print place "\t" plain
    if (value ~ /%[0-9A-Fa-f][0-9A-Fa-f]/) print place "\t" decoded(value)
}

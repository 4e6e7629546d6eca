# Passwords of redis as they are written in Compose files, env files, redis' own configuration and command lines: place, tab,
# password, each in the spellings that it may stand for: `$$` is Compose's `$`, and a URL has signs encoded. Needs lib/percent.awk.

FNR == 1 && FILENAME != "" && FILENAME != "-" { place = FILENAME; sub(/^\.\//, "", place); gsub(/[\t\n]/, "?", place) }
/^[ \t]*#/ { next }
{
    text = $0
    # what a variable stands for is not written here, but for its default
    while (match(text, /\$+\{[A-Za-z0-9_]*:?-[^}$]*\}/)) {
        value = substr(text, RSTART, RLENGTH - 1)
        text = substr(text, 1, RSTART - 1) substr(value, index(value, "-") + 1) substr(text, RSTART + RLENGTH)
    }
    gsub(/\$+\{[^}]*\}/, "", text)
    # a word that is `--requirepass` alone has its value in the next line, as in the list form of a command
    if (pending) found(text)
    pending = tolower(text) ~ /(^|[ \t"'\-])--requirepass["']?,?[ \t]*$/
    each(text, "--requirepass[\"']?[ \t=,]+")
    each(text, "^[ \t]*(requirepass|masterauth)[ \t]+")
    each(text, "(redis|valkey)s?://[^:@/ \t]*:")
    each(text, "[a-z0-9_]*(redis|valkey)[a-z0-9_]*pass[a-z0-9_]*[\"']?[ \t]*[=:][ \t]*")
    each(text, "rediscli_auth[\"']?[ \t]*[=:][ \t]*")
    each(text, "redis-cli([^|;&]*[ \t\"',])?-a[\"']?[ \t,]+")
    # a rule of an ACL; elsewhere the sign leads what is printed into a file
    if (acl || tolower(text) ~ /(^|[ \t"'\-])user[ \t]+[^ \t]+[ \t]/) each(text, "(^|[ \t])>")
}

# redis does not care about capitals
function each(text, before,   name) {
    while (match(tolower(text), before)) {
        name = substr(text, RSTART, RLENGTH)
        text = substr(text, RSTART + RLENGTH)
        if (tolower(name) !~ /pass[a-z0-9_]*_file/) found(text, before ~ /:\/\//)
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
    # a variable, what another program prints, nothing as YAML has it, and the beginning of a list
    if (value == "" || value ~ /\t/ || value ~ /^\$+\(/ || value ~ /^\$+[A-Z_][A-Z0-9_]*$/) return
    if (value ~ /^(null|Null|NULL|~|[{[])$/ || value ~ /^\{[a-z_]+:$/) return
    print place "\t" value
    plain = value
    if (gsub(/\$\$/, "$", plain)) print place "\t" plain
    if (value ~ /%[0-9A-Fa-f][0-9A-Fa-f]/) print place "\t" decoded(value)
}

# shellcheck shell=sh
# Tells which keys are set in the env files $paths below the stack's folder $root, as digests: no line of a file leaves the host.
# + names: the keys that are looked for: the file's number in the list, a slash, the key; separated by blanks
# + urls: those of them that hold a URL, in the same form, with a blank before and behind each
# + secret: what each digest begins with, so that nobody can tell what was digested
# + wanted: the digest of the whole answer where all is as wanted; then `=` stands for it
# A line a key: the file's number, the key, how often it is set, its statement's digest, and of a URL all but the login; or `!` for a
# file that cannot be read: a quote is opened and never closed, or another statement follows a closed one on its line.

#awk lib/env_lines.awk

cd -- "$root" 2>/dev/null || exit 0
export LC_ALL=C
set -f
IFS='
'
number=0
set --
for path in $paths; do
    number=$((number + 1))
    [ ! -f "$path" ] || [ -L "$path" ] || [ ! -r "$path" ] || set -- "$@" "number=$number" "./$path"
done
[ $# -gt 0 ] || exit 0

# a NUL, which no shell can hold, must not vanish
records=$(timeout 20 awk -v names="$names" "$env_lines_awk"'
    BEGIN { count_of_names = split(names, asked, " ") }
    function finish() {
        if (quote != "" || unclear) broken[file] = 1
        quote = unclear = ""
        file = number
    }
    FNR == 1 { finish() }
    quote != "" { quote = open_quote($0, quote); statement[file, key] = "(several lines)"; next }
    {
        key = key_of($0)
        if (key == "") next
        count[file, key]++
        statement[file, key] = $0
        quote = open_quote(value, "")
    }
    END {
        finish()
        for (i = 1; i <= count_of_names; i++) {
            split(asked[i], part, "/")
            if (broken[part[1]]) { if (!told[part[1]]++) print part[1] " !" }
            else if (count[part[1], part[2]]) print part[1], part[2], count[part[1], part[2]], statement[part[1], part[2]]
        }
        print "end"
    }' "$@" | tr '\0' '\1')
# sh tells of a pipe only how its last program ended
case $records in *end) records=${records%end} ;; *) exit 1 ;; esac
records=${records%?}

sum=$(printf '%s%s\n' "$secret" "$records" | sha256sum)
if [ "${sum%% *}" = "$wanted" ]; then
    echo '='
    exit 0
fi

# of a statement that sets a URL: a blank and the URL without its login; nothing where another part of it may be secret
around() {
    url=$(printf '%s\n' "${1#*=}" | tr -d "\"' " | sed -nE 's#^([a-z][a-z0-9+.-]*://)(.*@)?([][A-Za-z0-9_.:/%+,=?&-]+)$#\1\3#p')
    case $url in "" | *[Pp][Aa][Ss][Ss]* | *\?*[Kk][Ee][Yy]=* | *\?*[Tt][Oo][Kk][Ee][Nn]=* | *\?*[Ss][Ee][Cc][Rr][Ee][Tt]=* | *\?*[Aa][Uu][Tt][Hh]=*) ;; *) [ ${#url} -gt 300 ] || printf ' %s' "$url" ;; esac
}

[ -z "$records" ] || printf '%s\n' "$records" | while IFS= read -r record; do
    # number, key, count, statement
    statement=${record#* * * }
    if [ "$statement" = "$record" ]; then
        echo "$record"
        continue
    fi
    sum=$(printf '%s%s' "$secret" "$statement" | sha256sum) || exit 1
    key=${record#* }
    case $urls in *" ${record%% *}/${key%% *} "*) url=$(around "$statement") ;; *) url= ;; esac
    echo "${record%" $statement"} ${sum%% *}$url"
done

# shellcheck shell=sh
# The lines of the Compose files of the stack in folder $1 on which a password is written out: file, tab, line number. The
# others words are the files.

cd -- "$1" 2>/dev/null || exit 0
shift
[ $# -gt 0 ] || exit 0
for file in "$@"; do
    [ -f "$file" ] || continue
    {
        [ ! -s secrets/redis/password ] || grep -nF -f secrets/redis/password -- "$file"
        # a variable is none
        # shellcheck disable=SC2016 # a pattern with the sign itself
        grep -nE -e '--requirepass[ =]+[^ $"'\'']' -e '://[^:/@ ]*:[^@$ {*<]+@' -e 'PASSWORD[A-Z_]*[:=] *["'\'']?[^ ${"'\'']' -- "$file" |
            grep -vE '^[0-9]+:[ \t]*#'
    } | cut -d : -f 1 | sort -nu | while read -r line; do printf '%s\t%s\n' "$file" "$line"; done
done

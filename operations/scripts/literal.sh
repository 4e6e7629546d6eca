# shellcheck shell=sh
# The lines of the Compose files of the stack in folder $1 on which a password is written out: file, tab, line number. The
# other words are the files.

cd -- "$1" 2>/dev/null || exit 0
shift
password=secrets/redis/password
[ -r $password ] || password=/dev/null
set -- $password "$@"
for file in "$@"; do
    shift
    [ ! -r "$file" ] || set -- "$@" "$file"
done
# a variable is no password, nor is YAML's nothing, with a tag or without; a comment may speak of one
awk -v OFS='\t' -v first=$password '
    FILENAME == first { if ($0 != "") password = $0; next }
    password != "" && index($0, password) { print FILENAME, FNR; next }
    /^[ \t]*#/ { next }
    { gsub(/\$\{[^}]*\}/, "$"); gsub(/PASSWORD_FILE[:=]/, ""); gsub(/: +![!A-Za-z]*/, ": ") }
    { gsub(/: +(null|~) *($|[,}]| #)/, ": $") }
    /--requirepass[ =]+[^ $"'\'']/ || /:\/\/[^:\/@ ]*:[^@$ {*<]+@/ || /PASSWORD[A-Z_]*[:=] *["'\'']?[^ ${"'\'']/ { print FILENAME, FNR }
' "$@"

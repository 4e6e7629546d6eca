# shellcheck shell=sh
# The lines on which a password is written out, in the stack's folder $1, whose password is in the file $2: file, tab, line number.
#   literal <root> <password file> <Compose files…> -- <env file of the stack>=<managed keys, by commas>…
# In an env file a password is where it belongs, but for one of redis that no rollout would change.

cd -- "$1" 2>/dev/null || exit 0
password=$2
shift 2
[ -r "$password" ] || password=/dev/null
find . env -maxdepth 1 -type f -readable \( -name '*.env' -o -name '.env' \) -exec awk -v OFS='\t' -v ours="$*" '
    BEGIN {
        sub(/^.*-- ?/, "", ours)
        for (n = split(ours, file, " "); n; n--) {
            split(file[n], part, "=")
            for (k = split(part[2], key, ","); k; k--) managed[part[1], key[k]] = 1
        }
    }
    FNR == 1 { path = FILENAME; sub(/^\.\//, "", path) }
    /^[ \t]*#/ || !/=/ { next }
    {
        name = $0
        sub(/=.*/, "", name)
        sub(/^[ \t]*(export[ \t]+)?/, "", name)
        if ((path, name) in managed) next
        gsub(/\$\{[^}]*\}/, "$")
    }
    /rediss?:\/\/[^:\/@ ]*:[^@$ {*<]+@/ || /^[^=]*REDIS[^=]*PASS[^=]*=["\047]?[^$"\047 ]/ && name !~ /_FILE$/ { print path, FNR }
' {} + 2>/dev/null
set -- "$password" "$@"
ours=
for file in "$@"; do
    shift
    [ "$file" != -- ] || ours=yes
    [ -n "$ours" ] || [ ! -r "$file" ] || set -- "$@" "$file"
done
# those that they include or extend, from where they name them
named=$(awk -v OFS='\t' '
    FNR == 1 { included = extended = 0 }
    /^[^ #-]/ { included = /^include:/ }
    /^ +extends:/ { extended = FNR + 2 }
    included || (FNR <= extended && /file:/) {
        folder = FILENAME
        if (!sub(/\/[^\/]*$/, "/", folder)) folder = ""
        for (line = $0; match(line, /[^][ ,"\047{}:]+\.ya?ml/); line = substr(line, RSTART + RLENGTH)) {
            name = substr(line, RSTART, RLENGTH)
            sub(/^\.\//, "", name)
            print (name ~ /^\// ? "" : folder) name
        }
    }' "$@")
while IFS= read -r file; do
    case " $* " in *" $file "*) ;; *) [ ! -f "$file" ] || [ ! -r "$file" ] || set -- "$@" "$file" ;; esac
done <<END
$named
END
# a variable is no password, nor is YAML's nothing, with a tag or without; a comment may speak of one
awk -v OFS='\t' -v first="$password" '
    FILENAME == first { if ($0 != "") password = $0; next }
    password != "" && index($0, password) { print FILENAME, FNR; next }
    /^[ \t]*#/ { next }
    { gsub(/\$\{[^}]*\}/, "$"); gsub(/PASSWORD_FILE[:=]/, ""); gsub(/: +![!A-Za-z]*/, ": ") }
    { gsub(/: +(null|~) *($|[,}]| #)/, ": $") }
    /redis-cli .*-a +[\\"'\'']*[^ $\\"'\'']/ || /--requirepass[ =]+[^ $"'\'']/ || /:\/\/[^:\/@ ]*:[^@$ {*<]+@/ || /PASSWORD[A-Z_]*[:=] *["'\'']?[^ ${"'\'']/ { print FILENAME, FNR }
' "$@"

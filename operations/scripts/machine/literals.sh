# shellcheck shell=sh
# The lines on which a password is written out, in the stack's folder $root, as base64 of line number, kind, path as in a URL, with
# blanks between them. Kind: 1 where all that is written there are a credential's and not its own one, else 0.
# + passwords: the files with the stack's own ones
# + paths: Compose files; what they include or extend is looked through too
# + managed: <env file>=<key>, separated by blanks, of what a rollout changes
# + in_env, in_files: regular expressions of where a credential's is written, in lines of env files and of Compose files
# In an env file a password is where it belongs, but for one of a credential's that no rollout would change.

cd -- "$root" 2>/dev/null || exit 0
export LC_ALL=C
IFS='
'
set -f
tell='
    # also of a path with a line break
    function tell(kind,   path) {
        path = FILENAME
        sub(/^\.\//, "", path)
        gsub(/%/, "%25", path)
        gsub(/\n/, "%0A", path)
        print FNR, kind, path
    }
    function own(   one) {
        for (one in password) if (index($0, one)) return 1
        return 0
    }
    from == "passwords" { if ($0 != "") password[$0]; next }
    '
own_passwords() {
    for file in $passwords; do head -n 1 -- "$file" 2>/dev/null; done
}
env_lines=$(own_passwords | timeout 10 find . ./env -maxdepth 1 -type f \( -name '*.env' -o -name '.env' \) -exec test -r {} \; -exec env in_env="$in_env" awk -v managed="$managed" "$tell"'
    BEGIN { for (n = split(managed, key, " "); n; n--) ours["./" key[n]] }
    /^[ \t]*#/ || !/=/ { next }
    {
        name = $0
        sub(/=.*/, "", name)
        sub(/^[ \t]*(export[ \t]+)?/, "", name)
        if (FILENAME "=" name in ours) next
        gsub(/\$\{[^}]*\}/, "$")
    }
    ENVIRON["in_env"] != "" && name !~ /_FILE$/ && $0 ~ ENVIRON["in_env"] { tell(!own()) }
' from=passwords - from=files {} + 2>/dev/null)

# with a folder, since awk takes a word with a = in it for a variable
set --
for file in $paths; do
    case $file in /*) ;; *) file=./$file ;; esac
    if [ -f "$file" ] && [ -r "$file" ]; then set -- "$@" "$file"; fi
done
[ $# -gt 0 ] || set -- /dev/null
# those that they include or extend, from where they name them
named=$(timeout 10 awk '
    FNR == 1 { included = extended = 0 }
    /^[^ #-]/ { included = /^include:/ }
    /^ +extends:/ { extended = FNR + 2 }
    included || (FNR <= extended && /file:/) {
        folder = FILENAME
        sub(/[^\/]*$/, "", folder)
        for (line = $0; match(line, /[^][ ,"\047{}:]+\.ya?ml/); line = substr(line, RSTART + RLENGTH)) {
            name = substr(line, RSTART, RLENGTH)
            sub(/^\.\//, "", name)
            print (name ~ /^\// ? "" : folder) name
        }
    }' "$@")
for file in $named; do
    case "
$*
" in *"
$file
"*) ;; *) [ ! -f "$file" ] || [ ! -r "$file" ] || set -- "$@" "$file" ;; esac
done
# a variable is no password, nor is YAML's nothing, with a tag or without; a comment may speak of one
found=$(own_passwords | in_files=$in_files timeout 10 awk "$tell"'
    own() { tell(0); next }
    /^[ \t]*#/ { next }
    { gsub(/\$\{[^}]*\}/, "$"); gsub(/PASSWORD_FILE[:=]/, ""); gsub(/: +![!A-Za-z]*/, ": ") }
    { gsub(/: +(null|~) *($|[,}]| #)/, ": $") }
    { gsub(/[:=] *["'\'']?([Tt]rue|[Ff]alse|[Yy]es|[Nn]o|[Oo]n|[Oo]ff)["'\'']? *($|[],}]| #)/, ": $") }
    { theirs = ENVIRON["in_files"] != "" && gsub(ENVIRON["in_files"], "") }
    /:\/\/[^:\/@ ]*:[^@$ {*<]+@/ || /PASSWORD[A-Z_]*[:=] *["'\'']?[^ ${"'\'']/ { tell(0); next }
    theirs { tell(1) }
' from=passwords - from=files "$@") || exit 1
if [ -n "$env_lines$found" ]; then printf '%s\n%s\n' "$env_lines" "$found" | base64 -w 0; fi
echo

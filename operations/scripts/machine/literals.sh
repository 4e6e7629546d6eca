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
look='
    BEGIN { for (n = split(managed, key, " "); n; n--) ours["./" key[n]] }
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
    from == "passwords" { if (FNR == 1 && $0 != "") password[$0]; next }
    from == "env" {
        if (/^[ \t]*#/ || !/=/) next
        name = $0
        sub(/=.*/, "", name)
        sub(/^[ \t]*(export[ \t]+)?/, "", name)
        if (FILENAME "=" name in ours) next
        gsub(/\$\{[^}]*\}/, "$")
        if (ENVIRON["in_env"] != "" && name !~ /_FILE$/ && $0 ~ ENVIRON["in_env"]) tell(!own())
        next
    }
    # what it includes or extends, from where it names that
    FNR == 1 { included = extended = 0 }
    /^[^ #-]/ { included = /^include:/ }
    /^ +extends:/ { extended = FNR + 2 }
    included || (FNR <= extended && /file:/) {
        folder = FILENAME
        sub(/[^\/]*$/, "", folder)
        line = $0
        while (match(line, /[^][ ,"\047{}:]+\.ya?ml/)) {
            name = substr(line, RSTART, RLENGTH)
            line = substr(line, RSTART + RLENGTH)
            sub(/^\.\//, "", name)
            if (name !~ /^\//) name = folder name
            while (match(name, /\/\.?[^\/.][^\/]*\/\.\.\//)) name = substr(name, 1, RSTART) substr(name, RSTART + RLENGTH)
            print "named", name
        }
    }
    # a variable is no password, nor is nothing of YAML, with a tag or without; a comment may speak of one
    own() { tell(0); next }
    /^[ \t]*#/ { next }
    { gsub(/\$\{[^}]*\}/, "$"); gsub(/PASSWORD_FILE[:=]/, ""); gsub(/: +![!A-Za-z]*/, ": ") }
    { gsub(/: +(null|~|\[\]) *($|[,}]| #)/, ": $") }
    { gsub(/[:=] *["\047]?([Tt]rue|[Ff]alse|[Yy]es|[Nn]o|[Oo]n|[Oo]ff)["\047]? *($|[],}]| #)/, ": $") }
    { theirs = ENVIRON["in_files"] != "" && gsub(ENVIRON["in_files"], "") }
    /:\/\/[^:\/@ ]*:[^@$ {*<]+@/ || /PASSWORD[A-Z_]*[:=] *["\047]?[^ ${"\047]/ { tell(0); next }
    theirs { tell(1) }'


look_through() { in_env=$in_env in_files=$in_files timeout 10 awk -v managed="$managed" "$look" from=passwords "$@" /dev/null; }
usable() { [ -f "$1" ] && [ -r "$1" ]; }
IFS='
'
# each with a folder, since awk takes a word with a = in it for a variable
set -- from=env
for file in ./.env ./*.env ./.*.env ./env/.env ./env/*.env ./env/.*.env; do
    [ -L "$file" ] || ! usable "$file" || set -- "$@" "$file"
done
set -f
own='' given='' new='' found=''
for file in $passwords; do ! usable "$file" || own="$own./$file$IFS"; done
for file in $paths; do
    case $file in /*) ;; *) file=./$file ;; esac
    ! usable "$file" || new="$new$file$IFS"
done
while [ ${#given} -lt 65536 ]; do
    # shellcheck disable=SC2086 # an item a line
    said=$(look_through $own "$@" from=files $new) || exit 1
    found=$found$said$IFS given=$given$new new=''
    case $said in *"named "*) ;; *) break ;; esac
    for file in $(printf '%s\n' "$said" | sed -n 's/^named //p'); do
        case $IFS$given$new in *"$IFS$file$IFS"*) ;; *) ! usable "$file" || new="$new$file$IFS" ;; esac
    done
    [ -n "$new" ] || break
    set --
done
[ "$found" = "$IFS" ] || printf %s "$found" | sed '/^named /d' | base64 -w 0
echo

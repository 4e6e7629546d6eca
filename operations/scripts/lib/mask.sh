# Standard input with every secret replaced: those in $masks (one a line), the stack's own password, whatever its env files call a
# password, secret, token or key, any password in an URL.
masked() {
    {
        printf '%s\n' "$masks"
        # a pipe in a file's place would never end
        set --
        for file in "$root"/env/*.env; do [ ! -f "$file" ] || set -- "$@" "$file"; done
        [ $# -eq 0 ] || sed -n "s/^[A-Za-z0-9_]*\(PASS\|SECRET\|TOKEN\|KEY\)[A-Za-z0-9_]*=['\"]*\(.*[^'\"]\)['\"]*\$/\2/p" "$@" 2>/dev/null
        [ ! -f "$root/secrets/redis/password" ] || cat -- "$root/secrets/redis/password" 2>/dev/null
        echo
        echo '##fleet:text'
        cat
    } | awk '
        !text && $0 == "##fleet:text" { text = 1; next }
        !text { if (length($0) > 3) secret[++n] = $0; next }
        {
            for (i = 1; i <= n; i++) {
                for (done = ""; at = index($0, secret[i]); $0 = substr($0, at + length(secret[i])))
                    done = done substr($0, 1, at - 1) "*MASKED*"
                $0 = done $0
            }
            gsub(/:\/\/[^@ \/]*@/, "://*MASKED*@")
            print
        }'
}

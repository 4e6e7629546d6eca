# shellcheck shell=sh
# Removes what save.sh left below the stack's folder $root.

rm -f -- "$root/.fleet/images/save.tar"

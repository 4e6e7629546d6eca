# shellcheck shell=sh
# The host itself: its clock, and the free space where the stack in folder $1 and Docker keep what they have.

printf 'time\t%s\n' "$(date +%s.%N)"
for folder in "$1" /var/lib/docker; do
    while [ ! -d "$folder" ] && [ "$folder" != / ]; do folder=$(dirname -- "$folder"); done
    df -Pk -- "$folder" | awk -v OFS='\t' 'NR == 2 { print "free", $NF, $4 }'
done

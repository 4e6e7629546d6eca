# shellcheck shell=sh
# The host itself: its clock, and the free space where the stack in folder $1 and Docker keep what they have.

folder=$1
while [ ! -d "$folder" ] && [ -n "$folder" ]; do folder=${folder%/*}; done
docker=/var/lib/docker
[ -d $docker ] || docker=/
printf 'time\t%s\n' "$(date +%s.%N)"
df -Pk -- "${folder:-/}" $docker | awk -v OFS='\t' 'NR > 1 { print "free", $NF, $4 }'

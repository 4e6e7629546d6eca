# shellcheck shell=sh
# The containers of the Compose project $1.

export LC_ALL=C
#include containers_of.sh
containers_of "$1"

# Sets `ms` to the milliseconds since the machine was started. (busybox' date knows whole seconds only.)
clock() {
    read -r ms _ </proc/uptime
    ms=${ms%.*}${ms#*.}0
}

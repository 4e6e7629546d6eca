#!/bin/sh
# Makes a small Debian and packs it into a tar archive.
#   make_base <suite> <mirror> <archive> <settings that its apt needs>
set -eu
suite=$1 mirror=$2 archive=$3 settings=$4

folder=$archive.folder
clear_away() {
    umount --recursive --lazy "$folder/proc" "$folder/sys" 2>/dev/null || true
    rm -rf --one-file-system "$folder"
}
clear_away
trap clear_away EXIT
mkdir -p "$folder"
debootstrap --variant=minbase --include=ca-certificates "$suite" "$folder" "$mirror"

echo "deb $mirror $suite main" >"$folder/etc/apt/sources.list"
printf '%s\n' "$settings" >"$folder/etc/apt/apt.conf.d/90machine"
cat >"$folder/etc/apt/apt.conf.d/91small" <<'END'
Acquire::Languages "none";
Acquire::GzipIndexes "true";
APT::Install-Recommends "false";
END
# no manuals, no translations, and no fsync for each file: an image that was not finished is thrown away anyway
cat >"$folder/etc/dpkg/dpkg.cfg.d/small" <<'END'
path-exclude /usr/share/doc/*
path-exclude /usr/share/info/*
path-exclude /usr/share/locale/*
path-exclude /usr/share/man/*
force-unsafe-io
END
for part in doc info locale man; do
    find "$folder/usr/share/$part" -mindepth 1 -delete 2>/dev/null || true
done
rm -rf "$folder"/var/cache/apt/* "$folder"/var/lib/apt/lists/* "$folder"/var/cache/debconf/*-old "$folder"/var/log/*.log
mkdir -p "$folder/var/cache/apt/archives/partial" "$folder/var/lib/apt/lists/partial"

tar -C "$folder" --one-file-system -cf "$archive" .

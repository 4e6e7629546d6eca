# shellcheck shell=sh
# Installs what Docker lacks on this host and starts it; whatever is there already stays as it is.
# $docker_packages, $compose_packages: words separated by blanks; $apt_source: a line, or nothing.

export DEBIAN_FRONTEND=noninteractive

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

# what this host installs packages with
manager=
for program in dnf apt-get; do
    if command -v $program >/dev/null; then manager=$program; fi
done

packages() {
    case $manager in
    apt-get) said=$(apt-get -q -y -o DPkg::Lock::Timeout=120 "$@" 2>&1) ;;
    dnf) said=$(dnf -q -y "$@" 2>&1) ;;
    esac || fail "$manager $1 failed. It says:" "$(echo "$said" | tail -n 5)"
}

# the version of a package in the host's sources; nothing where they do not have it
version() {
    case $manager in
    apt-get) apt-cache policy "$1" 2>/dev/null | sed -n 's/^ *Candidate: *\([0-9]*:\)\{0,1\}//p' | grep -v none ;;
    dnf) dnf -q repoquery --latest-limit=1 --queryformat '%{version}\n' "$1" 2>/dev/null | head -n 1 ;;
    esac
}

wanted=
command -v curl >/dev/null || wanted="$wanted curl ca-certificates"
for program in bash jq; do command -v $program >/dev/null || wanted="$wanted $program"; done
compose=no
if ! docker compose version >/dev/null 2>&1; then compose=yes; fi

if [ -n "$wanted" ] || [ $compose = yes ] || ! command -v docker >/dev/null; then
    [ -n "$manager" ] ||
        fail "Docker Engine, its Compose plugin, bash, curl or jq is missing, and this host has neither apt-get nor dnf." \
            "Install them by hand, then run the deploy again."
    if [ -n "$apt_source" ] && [ $manager = apt-get ]; then
        echo "$apt_source" >/etc/apt/sources.list.d/pyinfra-compose.list || exit 1
    fi
    [ $manager != apt-get ] || packages update
    if ! command -v docker >/dev/null; then
        # Debian's client is a package of its own from release 13 on
        found=
        for package in $docker_packages; do [ -z "$(version "$package")" ] || found="$found $package"; done
        [ -n "$found" ] || fail "No package source of this host has Docker Engine; looked for: $docker_packages." \
            "Set docker_packages or docker_apt_source to what has it, or install it by hand."
        wanted="$wanted$found"
    fi
    if [ $compose = yes ]; then
        found=
        for package in $compose_packages; do
            case $(version "$package") in
            "" | 0* | 1.*) continue ;;
            esac
            found=$package
            break
        done
        [ -n "$found" ] ||
            fail "No package source of this host has Compose v2; looked for: $compose_packages." \
                "Set docker_apt_source to a source that has it (Docker's own, or a newer release of the distribution), or install the plugin by hand."
        wanted="$wanted $found"
    fi
    # shellcheck disable=SC2086 # a list of packages
    if [ $manager = apt-get ]; then packages install --no-install-recommends $wanted; else packages install $wanted; fi
    echo "installed$wanted" | tr -s ' '
fi

answers() {
    curl --silent --fail --output /dev/null --max-time 5 --unix-socket "$docker_socket" http://docker/_ping
}

if ! answers; then
    if [ -d /run/systemd/system ]; then
        said=$(systemctl enable --now docker 2>&1)
    else
        said=$(service docker start 2>&1)
    fi
    tries=0
    until answers; do
        tries=$((tries + 1))
        [ $tries -le 60 ] ||
            fail "Docker was started but does not answer on $docker_socket after 30 s." "$(echo "$said" | tail -n 3)" \
                "Look at its log (journalctl -u docker, or /var/log/docker.log), then run the deploy again."
        sleep 0.5
    done
    echo "started docker"
fi
docker compose version >/dev/null 2>&1 || fail "Docker runs, but \`docker compose version\` fails. Install the Compose v2 plugin."

"""Every setting, with its default. Change them here for all hosts, in a group's file beside this one, or in hosts.yml.

The general ones come first, then those of the services of the default stack.
"""

from operations.controller.secrets import Secret

# The stack
stack_dir = "/opt/erni-ki"  # the folder of the Compose project on the host
stack_name = "erni-ki"  # the name of the Compose project
services = ("watchtower", "redis", "redis-exporter", "openwebui")  # names of files of the catalogue
compose_files = ()  # the project's own Compose files, which are never edited; paths in stack_dir; left out: those that it runs with
catalog_dirs = ()  # folders with catalogue files of your own; a file there replaces one of the same name
clients: dict[
    str, dict[str, dict[str, str]]
] = {}  # further services with a login: service, env file, key, template (docs/adopting.md)
adopt_changes = ()  # what may change of what your own Compose files define, such as "redis.image"; a preview names it
pull = "missing"  # when images are pulled: missing, never, always (images.lock is made anew), or copy: docs/images.md
pin = True  # whether every host gets the same image for a name, kept in images.lock
images_lock = "images.lock"  # the file on this machine that keeps them
registries: dict[str, dict[str, object]] = {}  # registry to {"user": ..., "password": Secret("...")}, where it wants a login
bind_address = "127.0.0.1"  # the address that ports are published on
health_start_interval = "2s"  # time between two healthchecks during the start period; Docker Engine 25 and later

# How hosts are reached: pyinfra's own data
ssh_paramiko_connect_kwargs = {"compress": True}  # what a run asks of a host is 33 KB of text

# Secrets: the first source that has the name counts: the environment, secrets_file, secrets_command
secrets_file = None  # a dotenv file that only you may read; None for .env if there is one
secrets_command = None  # a command that prints NAME=value lines: sops, age, pass, vault ...
tls_dir = "tls"  # the folder on this machine with the certificates of servers: python -m operations tls (docs/tls.md)

# A rollout: whatever changes, a part of the fleet goes first, and the rest only when that part is well
rollout_waves = ("1", "25%", "100%")  # how many hosts have been changed after each wave; a group `canary` goes first
max_failures = 0  # hosts that may fail before later waves are left alone
unreachable_counts = False  # whether a host that cannot be reached is one of them
rollback_on_failure = True  # whether a host on which a service does not start or a check fails gets its previous files back
retire = "verified"  # when the previous password is refused: verified (nobody else logs in), when_unused, or always
lock_ttl = 3600  # seconds after which a stale lock is taken over
break_lock = False  # take over a lock that another run holds

# Docker on the host
start_timeout = 300  # seconds that a service may take to become healthy
settle_timeout = 75  # seconds that checks may take to become ok after a change: some clients try to connect once a minute
docker_packages = ("docker.io", "docker-cli")  # those that apt knows are installed where Docker Engine is missing
compose_packages = ("docker-compose-v2", "docker-compose-plugin", "docker-compose")  # the first in version 2 or later
docker_apt_source = None  # a line for apt's sources, where the distribution has no Compose v2

# Checks
skip_checks = ()  # ids of checks that are not made
strict = False  # whether a warning fails a host, as a check that has failed does
log_window = 300  # seconds of the services' logs in which there should be no error
log_allow = ()  # regular expressions (POSIX, extended; some hosts' awk knows no {n}) of log lines that are no error
clock_tolerance = 10  # seconds that a host's clock may differ from this machine's before there is a warning
clock_limit = 300  # seconds by which it may differ before the check fails
disk_min_free = 500  # megabytes that should be free where the stack and Docker keep their data; a warning below that
disk_limit = 100  # megabytes below which the check fails

# Keeping
backup_keep = 10  # backups that stay on a host
report_dir = "reports"  # the folder on this machine that reports are written to
report_keep = 50  # reports that stay there

# Messages
notify: tuple[str | Secret, ...] = ()  # who is told, as Apprise writes addresses; Secret("...") for one that holds a token
notify_always = False  # whether a run without news is told too: docs/monitoring.md
report_url = None  # where people find what is in report_dir; None: a message names the file

# Redis
redis_password = Secret("REDIS_PASSWORD")  # letters, digits, - and _, at least 20; python -m operations secrets new
redis_image = "redis/redis-stack:latest"  # or redis, from 7.2 on, or valkey/valkey, from 8 on; None: the project's own
redis_flavour = None  # how the image is started: stack, official, or None: its own makers' are known, others are asked
redis_maxmemory_policy = "allkeys-lru"  # what is removed when memory is full
redis_save = ""  # snapshots as "seconds changes" pairs; "" for none
redis_appendonly = True  # every write goes to the append-only file
redis_loglevel = "notice"  # debug, verbose, notice or warning
redis_config: dict[str, str | int] = {}  # further options of redis, such as timeout or maxmemory: docs/cluster.md
redis_service = None  # the service that is redis in a project of yours, where it has another name; None: told by what runs there
redis_move = "replication"  # how its data gets to another place or image; copy: writes wait meanwhile (docs/adopting.md)
redis_dbs: dict[str, int] = {}  # service to number of its database, where that is not 0
redis_users: dict[str, dict[str, list[str]]] = {}  # a login of its own for each client, and what it may do: docs/users.md
redis_health_interval = "30s"  # time between two healthchecks
redis_health_timeout = "3s"  # a healthcheck that takes longer has failed
redis_health_retries = 5  # failed healthchecks in a row that make it unhealthy
redis_health_start_period = "20s"  # failures do not count while it starts

# One redis for several hosts: docs/rollout.md
redis_publish = None  # on the host with the redis: the address that its port is published on; None for not at all
redis_port = 6379  # the port there
redis_tls = None  # on, off, or optional: both, and clients without it; where it is published one must be chosen (docs/tls.md)
redis_tls_port = 6380  # the port there with TLS
redis_host = None  # on the others: the name of that host in the inventory; they run services = ("openwebui",)

# A redis of the project's own that reads its password from a Compose secret: docs/adopting.md
redis_password_file = None  # the secret's file; a path in stack_dir
redis_user = "default"  # the user that changes passwords there

# The exporter of redis' metrics
redis_exporter_image = "oliver006/redis_exporter:latest"  # redis' metrics for Prometheus; None: the project's own
redis_exporter_port = 9121  # the port that it is published on

# Open WebUI
openwebui_image = "ghcr.io/open-webui/open-webui:latest"  # the application; None: the project's own
openwebui_port = 8080  # the port that it is published on
openwebui_env: dict[str, str] = {}  # further keys of env/openwebui.env, name to value
# What signs its sessions can be one key on all hosts, webui_secret_key; without it each container makes its own: docs/cluster.md
openwebui_health_interval = "30s"  # time between two healthchecks
openwebui_health_timeout = "10s"  # a healthcheck that takes longer has failed
openwebui_health_retries = 3  # failed healthchecks in a row that make it unhealthy
openwebui_health_start_period = "120s"  # failures do not count while it starts

# Watchtower
watchtower_image = "nickfedor/watchtower:1"  # updates the images of the other services; None: the project's own
watchtower_health_interval = "60s"  # time between two healthchecks
watchtower_health_timeout = "10s"  # a healthcheck that takes longer has failed
watchtower_health_retries = 3  # failed healthchecks in a row that make it unhealthy
watchtower_health_start_period = "30s"  # failures do not count while it starts

"""Every setting, with its default. Change them here for all hosts, in a group's file beside this one, or in hosts.yml."""

from operations.controller.secrets import Secret

# The stack
stack_dir = "/opt/erni-ki"  # the folder of the Compose project on the host
stack_name = "erni-ki"  # the Compose project's name
services = ("watchtower", "redis", "redis-exporter", "openwebui")  # names of files of the catalogue
compose_files = ("compose.yml",)  # the project's own Compose files, which are never edited; paths in stack_dir
catalog_dirs = ()  # folders with catalogue files of your own; a file there replaces one of the same name

# Images; None: as the project's own Compose file has it
watchtower_image = "containrrr/watchtower:latest"  # updates the images of the other services
redis_image = "redis/redis-stack:latest"  # redis-stack, or an official redis image from version 7 on
redis_exporter_image = "oliver006/redis_exporter:latest"  # redis' metrics for Prometheus
openwebui_image = "ghcr.io/open-webui/open-webui:latest"  # the application
pull = "missing"  # when images are pulled: missing, never or always

# Ports on the host
bind_address = "127.0.0.1"  # the address that ports are published on
openwebui_port = 8080  # Open WebUI's
redis_exporter_port = 9121  # the exporter's

# One redis for Open WebUI on several hosts
redis_publish = None  # on the host with the redis: the address that its port is published on; None for not at all
redis_port = 6379  # the port there
redis_host = None  # on the others: the name of that host in the inventory; they run services = ("openwebui",)

# Redis
redis_flavour = None  # how the image is started: stack, official, or None to tell from its name
redis_maxmemory_policy = "allkeys-lru"  # what goes when memory is full
redis_save = ""  # snapshots as "seconds changes" pairs; "" for none
redis_appendonly = True  # every write goes to the append-only file
redis_loglevel = "notice"  # debug, verbose, notice or warning

# A stack that runs already: docs/adopting.md
clients: dict[str, dict[str, dict[str, str]]] = {}  # further services with a login: service, env file, key, template
redis_dbs: dict[str, int] = {}  # service to number of its database, where that is not 0
redis_password_file = None  # the Compose secret's file, where the project's own redis reads the password from one
redis_user = "default"  # the user that changes passwords there

# Open WebUI
openwebui_env: dict[str, str] = {}  # further keys of env/openwebui.env, name to value

# Secrets: the first source that has the name counts: the environment, secrets_file, secrets_command
redis_password = Secret("REDIS_PASSWORD")  # letters, digits, - and _, at least 20; python -m operations secrets new
secrets_file = None  # a dotenv file that only you may read; None for .env if there is one
secrets_command = None  # a command that prints NAME=value lines: sops, age, pass, vault ...

# Healthchecks: durations as Compose writes them
watchtower_health_interval = "60s"  # time between two checks
watchtower_health_timeout = "10s"  # a check that takes longer has failed
watchtower_health_retries = 3  # failed checks in a row that make it unhealthy
watchtower_health_start_period = "30s"  # failures do not count while it starts
redis_health_interval = "30s"  # time between two checks
redis_health_timeout = "3s"  # a check that takes longer has failed
redis_health_retries = 5  # failed checks in a row that make it unhealthy
redis_health_start_period = "20s"  # failures do not count while it starts
openwebui_health_interval = "30s"  # time between two checks
openwebui_health_timeout = "10s"  # a check that takes longer has failed
openwebui_health_retries = 3  # failed checks in a row that make it unhealthy
openwebui_health_start_period = "120s"  # failures do not count while it starts
health_start_interval = "2s"  # time between two checks during the start period; Docker Engine 25 and later

# A rollout: whatever changes, a part of the fleet goes first, and the rest only when that part is well
rollout_waves = ("1", "25%", "100%")  # how many hosts have been changed after each wave; a group `canary` goes first
max_failures = 0  # hosts that may fail before later waves are left alone
unreachable_counts = False  # whether a host that cannot be reached is one of them
rollback_on_failure = True  # a host on which a service does not start or a check fails gets its former files back
retire = "verified"  # when redis refuses the former password: verified (nobody else logs in), when_unused, or always
lock_ttl = 3600  # seconds after which the lock of a run that died is taken over
break_lock = False  # take over a lock that another run holds

# Docker on the host
start_timeout = 300  # seconds that a service may take to become healthy
settle_timeout = 30  # seconds that checks may take to become ok after a change, such as clients that connect to redis again
docker_packages = ("docker.io", "docker-cli")  # those that apt knows are installed where Docker Engine is missing
compose_packages = ("docker-compose-v2", "docker-compose-plugin", "docker-compose")  # the first in version 2 or later
docker_apt_source = None  # a line for apt's sources, where the distribution has no Compose v2

# Checks
skip_checks = ()  # ids of checks that are not to be made
log_window = 300  # seconds of the services' logs in which there should be no error
log_allow = ()  # regular expressions (POSIX, extended; some hosts' awk knows no {n}) of log lines that are no error
clock_tolerance = 10  # seconds that a host's clock may differ from this machine's
disk_min_free = 500  # megabytes that should be free where the stack and Docker keep what they have

# Keeping
backup_keep = 10  # backups that stay on a host
report_dir = "reports"  # the folder on this machine that reports are written to
report_keep = 50  # reports that stay there

"""Catalogue files that a user might have, for the tests to put into a folder of catalog_dirs."""

from __future__ import annotations

from tests.fleet.fleet import Fleet
from tests.lab.images import in_hosts

# An application that is choosy about its password. It is healthy, or answers its check, only with one of a certain SHA-256.
PICKY = f"""\
x-fleet:
  settings: {{picky_only: any}}
  env:
    REDIS_PASSWORD: "{{redis_password}}"
    ONLY: "{{picky_only}}"
  checks:
    - {{id: picky.answer, http: "http://127.0.0.1:8099/well", status: 200}}
services:
  picky:
    image: {in_hosts("openwebui-standin")}
    init: true
    restart: unless-stopped
    depends_on: {{redis: {{condition: service_healthy}}}}
    env_file: [./env/picky.env]
    ports: ["127.0.0.1:8099:8099"]
    working_dir: /srv
    command:
      - sh
      - -c
      - |
        hash=$$(printf %s "$$REDIS_PASSWORD" | sha256sum | cut -c 1-64)
        case $$ONLY in any | $$hash) touch well ;; *) echo "password $$REDIS_PASSWORD is not for me" ;; esac
        exec python3 -m http.server 8099
"""
NEVER_HEALTHY = """\
    healthcheck: {test: ["CMD", "test", "-e", "/srv/well"], interval: 1s, timeout: 5s, retries: 3}
"""

# Open WebUI's stand-in without a port of its own, replaced beside the old one, behind a small proxy.
WEB = f"""\
x-fleet:
  update: rolling
  env:
    REDIS_URL: "redis://:{{redis_password}}@redis:6379/0"
services:
  web:
    image: {in_hosts("openwebui-standin")}
    restart: unless-stopped
    depends_on: {{redis: {{condition: service_healthy}}}}
    env_file: [./env/web.env]
    healthcheck:
      test: ["CMD", "curl", "--fail", "--silent", "--output", "/dev/null", "http://localhost:8080/health"]
      interval: 2s
      timeout: 5s
      retries: 3
      start_period: 10s
      start_interval: 300ms
"""
PROXY = f"""\
services:
  proxy:
    image: {in_hosts("openwebui-standin")}
    init: true
    restart: unless-stopped
    ports: ["127.0.0.1:8090:8090"]
    command:
      - python3
      - -c
      - |
        import asyncio, socket

        async def ask(request):
            # the name is resolved for each request; one that stops, and so answers nothing at all, is not asked again
            for _ in range(10):
                found = await asyncio.get_running_loop().getaddrinfo("web", 8080, type=socket.SOCK_STREAM)
                for *_, address in found:
                    try:
                        reader, writer = await asyncio.wait_for(asyncio.open_connection(*address[:2]), 2)
                        writer.write(request)
                        answer = await reader.read()
                        writer.close()
                    except (OSError, asyncio.TimeoutError):
                        continue
                    if answer:
                        return answer
                await asyncio.sleep(0.05)
            return b"HTTP/1.1 502 Bad Gateway\\r\\n\\r\\n"

        async def serve(reader, writer):
            request = await reader.readuntil(b"\\r\\n\\r\\n")
            writer.write(await ask(request))
            await writer.drain()
            writer.close()

        async def main():
            async with await asyncio.start_server(serve, "0.0.0.0", 8090) as server:
                await server.serve_forever()

        asyncio.run(main())
"""


def write(fleet: Fleet, **texts: str) -> None:
    """Catalogue files of these names, in a folder that all of the operator's hosts use."""
    folder = fleet.folder / "catalog"
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        (folder / f"{name}.yml").write_text(text)
    fleet.settings["catalog_dirs"] = [str(folder)]

"""A user of Open WebUI on a host: `with User(host, image) as user: … ; user.wait_until_joined(times=2)`."""

from __future__ import annotations

import time
from pathlib import Path

from tests.lab import Host

NAME = "openwebui-user"
LONGEST = 900  # seconds; then it ends by itself
CLIENT = Path(__file__).with_name("client.py")


class User:
    """Signed in and connected over a WebSocket, through the published port. See `client.py`."""

    def __init__(self, host: Host, image: str, port: int = 8080) -> None:
        self.host = host
        self.image = image
        self.port = port

    def __enter__(self) -> User:
        self.host.run(
            f"""
            docker rm --force {NAME} >/dev/null 2>&1
            script=$(cat) && docker run --detach --name {NAME} --network host --pull never {self.image} \
                python3 -c "$script" http://127.0.0.1:{self.port} {LONGEST}
            """,
            stdin=CLIENT.read_text(),
        )
        try:
            self.wait_until_joined()
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._remove()

    def story(self) -> list[str]:
        """What happened so far."""
        return self.host.run(f"docker logs {NAME} 2>&1").splitlines()

    def wait_until_joined(self, times: int = 1, patience: float = 90) -> None:
        """Open WebUI has taken the user in so many times: the first, and after each loss of the connection."""
        until = time.monotonic() + patience
        while (story := self.story()).count("joined") < times or story[-1] != "joined":
            assert time.monotonic() < until, f"{self.host.name}: the user is not served: {story[-20:]}"
            time.sleep(0.3)

    def _remove(self) -> None:
        self.host.run(f"docker rm --force {NAME}", check=False)

"""What an operator sees: the real pyinfra, SSH, Docker Engine, Compose, Redis and exporter on the lab's hosts."""

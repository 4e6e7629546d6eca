"""The stack with the real Open WebUI: `make test-openwebui`."""

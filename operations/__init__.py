"""Brings stacks of Docker Compose services to the same, proven state on every host of a pyinfra inventory.

The modules of this folder are the operations, one noun each. What they use has folders of its own: `stack` is pure and decides,
`facts` asks hosts, `scripts` runs on them, `controller` is this machine's side, `fleet` is many controllers, `report` is what a
person gets to see. In the wheel the package is called `pyinfra_compose`.
"""

__version__ = "0.2.0.dev0"

# as a person types it here: the wheel brings a script along, the checkout a .venv
COMMAND = "pyinfra-compose" if __name__ == "pyinfra_compose" else f".venv/bin/python -m {__name__}"

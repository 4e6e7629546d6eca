"""Brings a stack of Docker Compose services to the same state on every host of a pyinfra inventory.

One module per noun: `engine`, `backup`, `compose`, `redis`, `env`, `checks` hold operations; `facts` what is read from a
host; `stack` the pure core; `report` what a run did and found. In the wheel the package is called `pyinfra_compose`.
"""

__version__ = "0.1.0"

"""What a run did and found: one object, shown on the terminal and kept as a file."""

from .model import HostReport, RunReport, Status, run_id

__all__ = ["HostReport", "RunReport", "Status", "run_id"]

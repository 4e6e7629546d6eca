"""What all tests share: a key for fingerprints, and a run that is not green by accident."""

from __future__ import annotations

import os

from operations.report.key import VARIABLE, key
from operations.stack.fingerprint import keyed_with

pytest_plugins = ["tests.honest"]

os.environ[VARIABLE] = "0f" * 32  # not the key of who runs the tests
keyed_with(key)

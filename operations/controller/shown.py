"""What is shown of a text that came from a host: no control character, and no secret that this process knows."""

from __future__ import annotations

import logging

from pyinfra import logger

from ..report.mask import known
from ..stack.text import clean, clean_log


def shown(text: object) -> str:
    """One line of it."""
    return known(clean(str(text)))


class _Filter(logging.Filter):
    """pyinfra itself prints what a failed command said, and why a host could not be reached."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = known(clean_log(record.getMessage())), ()
        return True


_FILTER = _Filter()


def arm() -> None:
    """From now on pyinfra's log lines are shown so too. A second call does nothing."""
    logger.addFilter(_FILTER)

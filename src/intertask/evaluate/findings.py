"""Findings that forbid an evaluation, whatever kind of data they are about."""

from collections.abc import Iterable

from intertask.errors import LeakageError
from intertask.evaluate.results import Finding


def refuse(found: Iterable[Finding], part: str) -> None:
    """Refuse to evaluate where there is an error.

    Raises:
        LeakageError: Says the first one.
    """
    for finding in found:
        if finding.severity == "error":
            raise LeakageError(
                f"{part} part", "nothing that makes the figures wrong", finding.text, finding.advice
            )

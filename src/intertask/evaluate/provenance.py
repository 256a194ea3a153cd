"""Where a figure comes from: version, commit, command, machine, date."""

import importlib.metadata
import os
import platform
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from intertask.evaluate.results import Provenance


def provenance(seed: int) -> Provenance:
    """That of this process."""
    command = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
    return Provenance(
        seed=seed,
        commit=_commit(),
        version=importlib.metadata.version("intertask"),
        command=command,
        date=datetime.now(UTC).date().isoformat(),
        machine=f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
    )


def _commit() -> str:
    """The commit of the checkout that the package is imported from; an installed release has none."""
    folder = Path(__file__).parent

    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(folder), *words],
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        )
        return done.stdout.strip()

    try:
        # A release inside a virtual environment may lie below some other project's checkout.
        if not git("ls-files", str(Path(__file__))):
            return "release"
        changed = "+changes" if git("status", "--porcelain", "--untracked-files=no") else ""
        return git("rev-parse", "--short=12", "HEAD") + changed
    except (OSError, subprocess.SubprocessError):
        return "release"

"""Debian's PostgreSQL, started for the tests in a folder of their own and reached by a socket alone.

Where it is not installed the tests that need it are skipped, and say so; with INTERTASK_POSTGRESQL=required,
as in CI, they fail.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_FAST = "-c fsync=off -c full_page_writes=off -c listen_addresses='' -c max_connections=60"


def _programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else None


@contextmanager
def server() -> Iterator[str]:
    """The address of a server without tables, without its query."""
    programs = _programs()
    if programs is None:
        reason = "PostgreSQL is not installed: apt-get install -y postgresql"
        if os.environ.get("INTERTASK_POSTGRESQL") == "required":
            pytest.fail(reason)
        pytest.skip(reason)
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))  # a socket's path has 107 characters at most
    as_owner: list[str] = []
    if os.geteuid() == 0:  # which PostgreSQL refuses to run as
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        administrators = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
        as_owner = [shutil.which("runuser", path=administrators) or "runuser", "-u", "postgres", "--"]

    def run(program: str, *arguments: str) -> None:
        command = [*as_owner, str(programs / program), *arguments]
        subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL, timeout=60)

    data = str(folder / "data")
    run("initdb", "-D", data, "-A", "trust", "-U", "tester", "-E", "UTF8", "--no-sync", "--no-instructions")
    run("pg_ctl", "-D", data, "-w", "-l", str(folder / "log"), "-o", f"{_FAST} -k {folder}", "start")
    try:
        yield f"postgresql:///postgres?user=tester&host={folder}"
    finally:
        run("pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder)

"""A small part of `python -m tests.kills`, which kills at every operation on a file."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.skipif(sys.platform != "linux", reason="children are forked")
def test_what_is_killed_at_any_operation_ends_like_what_is_not():
    done = subprocess.run(
        [sys.executable, "-m", "tests.kills", "--every", "37", "--random", "7", "--seed", "3"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=600,
        check=False,
    )
    found = {}
    for line in done.stdout.splitlines():
        found |= json.loads(line)
    assert not [failure for told in found.values() for failure in told["failures"]], done.stderr
    assert done.returncode == 0, done.stderr
    assert len(found) == 8 and all(told["killed at one"] >= 1 for told in found.values())
    assert sum(told["operations"] for told in found.values()) > 500


@pytest.mark.skipif(sys.platform != "linux", reason="children are forked")
def test_a_model_of_rows_that_is_killed_ends_like_one_that_is_not():
    work = ["save over a model", "train from"]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.kills",
            "--data",
            "rows",
            "--every",
            "97",
            "--random",
            "2",
            "--work",
            *work,
        ],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=300,
        check=False,
    )
    found = {name: told for line in done.stdout.splitlines() for name, told in json.loads(line).items()}
    assert not [failure for told in found.values() for failure in told["failures"]], done.stderr
    assert done.returncode == 0 and len(found) == 3, done.stderr

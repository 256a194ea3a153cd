"""The command line, run inside the tests' own process: no second start of torch for each."""

import sys
from dataclasses import dataclass

import pytest

from intertask.cli import main


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str


class Command:
    """Runs `intertask` with some words."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.monkeypatch, self.capsys = monkeypatch, capsys

    def __call__(self, *words: object) -> Done:
        self.monkeypatch.setattr(sys, "argv", ["intertask", *map(str, words)])
        self.capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as done:
            code = int(done.code or 0)
        captured = self.capsys.readouterr()
        return Done(code, captured.out, captured.err)

    def refused(self, *words: object) -> str:
        """The one line that a user's mistake gets."""
        done = self(*words)
        assert done.code == 2, done
        assert done.out == ""
        told = "".join(
            line for line in done.err.splitlines(True) if not line.startswith(("epoch ", "note: "))
        )
        assert told.startswith("error: ") and told.endswith("\n")
        line = told.removeprefix("error: ").removesuffix("\n")
        assert "\n" not in line and "Traceback" not in line and "\x1b" not in line
        assert ": expected " in line and ", found " in line
        return line

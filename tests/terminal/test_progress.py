import io
from types import SimpleNamespace

from rich.console import Console

from intertask.terminal import progress


def shown_on(monkeypatch, *, terminal):
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    console = Console(file=stream, force_terminal=terminal, width=80)
    monkeypatch.setattr(progress, "_console", lambda stream: console)
    with progress.bar("training", 2) as move:
        move(1, "a note")
        progress.line("epoch 0 done")
        move(1)
    return stream.getvalue()


def test_a_file_gets_lines_and_no_bar(monkeypatch):
    assert shown_on(monkeypatch, terminal=False) == "epoch 0 done\n"


def test_a_terminal_gets_a_bar_and_no_lines(monkeypatch):
    shown = shown_on(monkeypatch, terminal=True)
    assert "training" in shown and "epoch 0 done" not in shown


def test_long_work_without_a_terminal_says_now_and_then_how_far_it_is(monkeypatch):
    clock = iter([0.0, 59.0, 61.0, 61.0, 90.0, 122.0, 122.0])
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    with progress.bar("reading", 4000) as move:
        for part in range(4):
            move(1000, f"part {part}")
    assert stream.getvalue() == "reading: 2,000 of 4,000  part 1\nreading: 4,000 of 4,000  part 3\n"

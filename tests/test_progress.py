import io

from rich.console import Console

from intertask import progress


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

import io
import sys

import pytest

from intertask.terminal.console import Guarded, guarded, unguarded
from intertask.terminal.progress import bar


class Terminal(io.StringIO):
    """What a person looks at."""

    def isatty(self):
        return True


def test_a_file_receives_printable_lines_alone():
    file = io.StringIO()
    Guarded(file).write("a\x1b[31mb\x07\n\tc\r")
    assert file.getvalue() == "a\\x1b[31mb\\x07\n\tc\\r"


def test_a_terminal_receives_colours_and_no_other_orders():
    terminal = Terminal()
    Guarded(terminal).write("\x1b[1;31mred\x1b[0m \x1b[2J\x1b]8;;http://x\x07\x1b[3A")
    assert terminal.getvalue() == "\x1b[1;31mred\x1b[0m \\x1b[2J\\x1b]8;;http://x\\x07\\x1b[3A"


def test_letters_that_the_stream_has_not_are_written_out():
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="latin-1")
    Guarded(stream).write("Größe 千")
    stream.flush()
    assert raw.getvalue().decode("latin-1") == "Größe \\u5343"


def test_bytes_are_no_text():
    with pytest.raises(TypeError):
        Guarded(io.StringIO()).write(b"")


def test_the_streams_come_back(capsys):
    before = sys.stdout, sys.stderr
    with guarded():
        assert unguarded(sys.stdout) is before[0]
        sys.stdout.write("\x1b[31mred \x07\n")
        sys.stderr.write("\x9b")
    assert (sys.stdout, sys.stderr) == before
    assert capsys.readouterr() == ("\\x1b[31mred \\x07\n", "\\x9b")


def test_a_progress_bar_shows_hostile_names_and_no_markup(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    with guarded(), bar("task [red]\x1b]0;x\x07", 3) as move:
        move(1, "[bold]done\x9b")
    shown = terminal.getvalue()
    assert "[red]\\x1b]0;x\\x07" in shown
    assert not set(shown) & {"\x07", "\x9b"} and "\x1b]" not in shown

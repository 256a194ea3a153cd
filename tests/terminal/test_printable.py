import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intertask.errors import DataError
from intertask.terminal.printable import printable, printable_json

anything = st.text(st.characters(exclude_categories=[]))  # halves of surrogate pairs as well


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain: Größe 千尋 🎁 ½ [red]", "plain: Größe 千尋 🎁 ½ [red]"),
        ("\x1b[31mred\x1b]0;title\x07", "\\x1b[31mred\\x1b]0;title\\x07"),
        ("a\rb\x08c\x9b2Jd\x7f", "a\\rb\\x08c\\x9b2Jd\\x7f"),
        ("two\nlines\u2028three", "two\\nlines\\u2028three"),
        ("\u202egnp.exe\u2066", "\\u202egnp.exe\\u2066"),
        ("a\u200bb\u200dc\ufeff", "a\\u200bb\\u200dc\\ufeff"),
        ("\ud83d tag \U000e0041", "\\ud83d tag \\U000e0041"),
        (
            "می\u200cرود 👩\u200d👧",
            "می\u200cرود 👩\u200d👧",
        ),  # a Persian word and a family need their joiners
        ("no\u00a0break", "no\u00a0break"),
        ("already \\x1b", "already \\x1b"),
    ],
)
def test_what_cannot_be_printed_is_written_out(text, shown):
    assert printable(text) == shown


@given(anything)
def test_a_text_is_escaped_once_and_can_be_written_anywhere(text):
    shown = printable(text)
    assert printable(shown) == shown
    shown.encode()
    assert not {unicodedata.category(letter) for letter in shown} & {"Cc", "Cs", "Zl", "Zp"}


def test_lines_stay_where_they_are_meant():
    assert printable("a\n\tb\r", keep="\n\t") == "a\n\tb\\r"


@given(st.recursive(anything, lambda inner: st.lists(inner) | st.dictionaries(anything, inner)))
def test_json_is_printable_and_read_back_as_it_was(value):
    text = printable_json(value)
    assert json.loads(text) == value
    assert printable(text, keep="\n") == text


def test_json_keeps_the_letters_of_the_world():
    assert "Größe 千尋 🎁" in printable_json({"title": "Größe 千尋 🎁\x7f\x85\u202e"})


def test_an_error_holds_nothing_that_a_terminal_obeys():
    error = DataError("log\x1b[2J.csv", "a\x07", "b\r\n\u202e", "c")
    assert str(error) == "log\\x1b[2J.csv: expected a\\x07, found b\\r\\n\\u202e; c"
    assert error.args == (str(error),)

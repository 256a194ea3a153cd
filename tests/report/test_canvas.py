"""Drawings that can stand in a page, and the names of their files."""

from intertask.report.canvas import slug

from .conftest import HOSTILE


def test_different_words_never_share_a_file_name() -> None:
    words = [
        "next",
        "Next",
        "a b",
        "a-b",
        "a_b",
        "a/b",
        "../b",
        "千",
        "尋",
        "",
        " ",
        HOSTILE,
        "x" * 300,
        "x" * 301,
    ]
    assert len({slug(word) for word in words}) == len(words)


def test_a_file_name_is_plain_and_short_whatever_the_word() -> None:
    assert slug("forest", "next", "ndcg@10") == "forest-next-ndcg-10"
    for word in ("../../etc/passwd", HOSTILE, "千尋", "x" * 300, "a\x00b", "\ud83d"):
        name = slug(word)
        assert name.replace("-", "").replace("_", "").isalnum()
        assert name.isascii()
        assert len(name) < 60

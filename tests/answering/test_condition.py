"""Conditions on the columns of a catalogue."""

import polars as pl
import pytest

from intertask.answering.condition import matching
from intertask.errors import RequestError
from tests.fuzzing import fuzz

ROWS = pl.DataFrame(
    {
        "item": ["a", "b", "c", "d"],
        "group": ["BAG", "HAT", "BAG", None],
        "two words": ["x", "it's", "`y`", 'say "z"'],
        "tags": [["odd", "new"], ["even"], [], None],
        "price": pl.Series([19.99, -5.0, 20.0, None], dtype=pl.Float32),
    }
)


@pytest.mark.parametrize(
    ("condition", "items"),
    [
        ("group == 'BAG'", "ac"),
        ('group == "BAG"', "ac"),
        ("'BAG' == group", "ac"),
        ("group != 'BAG'", "bd"),  # a missing value equals nothing
        ("not group == 'BAG'", "bd"),
        ("group == None", "d"),
        ("group is None or group == 'HAT'", "bd"),
        ("group is not None", "abc"),
        ("group != None and group != 'HAT'", "ac"),
        ("group in ['BAG', 'CAP']", "ac"),
        ("group not in ('BAG', None)", "b"),
        ("group in []", ""),
        ("price < 20", "ab"),
        ("price <= 19.99", "ab"),  # in single precision, as the catalogue has it
        ("price == 19.99", "a"),
        ("20 > price", "ab"),
        ("-5 <= price < 20", "ab"),
        ("price in [20, -5]", "bc"),
        ("price > -1e400", "abc"),
        ("price < 99999999999999999999999999999999999999999999999", "abc"),
        ("'odd' in tags", "a"),
        ("'odd' not in tags", "bcd"),
        ("'AG' in group", "ac"),
        ("'.*' in group", ""),
        ("group == 'BAG' and (price > 19.99 or 'new' in tags)", "ac"),
        ("group == 'BAG' and price > 19.99 or 'even' in tags", "bc"),
        ("`two words` == 'x'", "a"),
        ('`two words` == "it\'s"', "b"),
        ("`two words` == '`y`'", "c"),
        ("`two words` == 'say \"z\"' or `group` == 'HAT'", "bd"),
        ("'\\'' in `two words`", "b"),
        ("item == 'a' or item > 'c'", "ad"),
        (" group\n== 'BAG' ", None),
        ("group >= 'C'", "b"),
    ],
)
def test_a_condition_finds_the_rows_that_meet_it(condition, items):
    if items is None:
        with pytest.raises(RequestError, match=r"^where: expected a condition"):
            matching(ROWS, condition)
        return
    assert "".join(ROWS["item"].filter(pl.Series(matching(ROWS, condition)))) == items


def test_ids_are_the_same_in_both_spellings():
    numbers = pl.DataFrame({"item": [7, 10]})
    assert (
        matching(numbers, "item == 7").tolist() == matching(numbers, "item == '7'").tolist() == [True, False]
    )
    assert matching(numbers, "item > 7").tolist() == [False, True]
    assert matching(numbers, "item < 1000000000000000000000").tolist() == [True, True]
    large = pl.DataFrame({"item": pl.Series([0, 2**64 - 1], dtype=pl.UInt64)})
    assert (
        matching(large, f"item == {2**64 - 1}").tolist()
        == matching(large, "item > 5").tolist()
        == [False, True]
    )
    assert matching(large, "item > -5").tolist() == [True, True]
    assert matching(pl.DataFrame({"item": ["7", "x"]}), "item == 7").tolist() == [True, False]


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        (
            "grp == 'BAG'",
            "expected columns of the catalogue, 'item', 'group', 'two words', 'tags', 'price', found",
        ),
        ("group = 'BAG'", "found \"group = 'BAG'\"; write == for is equal"),
        ("price == 'x'", "expected numbers to compare with 'price', found 'x'"),
        ("group == 3", "expected text to compare with 'group', found 3"),
        ("tags == 'odd'", "expected tags to compare with 'tags', found 'odd'; write 'odd' in tags"),
        ("'x' in price", "expected text or tags in 'price', found numbers"),
        ("price == True", "expected a condition"),
        ("group", "expected a condition"),
        ("group == price", "expected a condition"),
        ("'a' == 'a'", "expected a condition"),
        ("price < None", "expected a condition"),
        ("price + 1 == 2", "expected a condition"),
        ("", "expected a condition"),
        ("#", "expected a condition"),
        (None, "expected a condition"),
        (["group == 'BAG'"], "expected a condition"),
        ("`group == 'BAG'", "expected a condition"),
        ("(" * 900, "expected a condition"),
        ("not " * 450 + "group == 'a'", "expected 300 parts at most"),
        ("group == 'a'" + " or group == 'a'" * 120, "expected 300 parts at most"),
        ("group == '" + "a" * 3000 + "'", "expected 2,000 characters at most"),
        ("group == '\ud800'", ""),
        (r"group == '\ud800'", "expected text in Unicode"),
        (r"item == '\ud800'", "expected text in Unicode"),
        (r"item in ['I1', '\ud800']", "expected text in Unicode"),
        (r"'\ud800' in group", "expected text in Unicode"),
        (r"'\ud800' in tags", "expected text in Unicode"),
        ("__import__('os').system('echo')", "expected a condition"),
        ("open('/etc/passwd').read() == group", "expected a condition"),
        ("group == f'{1}'", "expected a condition"),
        ("(lambda: 1)() == price", "expected a condition"),
        ("[x for x in ()] == price", "expected a condition"),
        ("price == 10**10**10", "expected a condition"),
        ("group.name == 'a'", "expected a condition"),
        ("group == b'BAG'", "expected a condition"),
        ("price == 1j", "expected a condition"),
        ("group is 'BAG'\0", "expected a condition"),
    ],
)
def test_what_is_no_condition_is_refused_in_one_line(condition, message):
    with pytest.raises(RequestError) as caught:
        matching(ROWS, condition)
    assert str(caught.value).startswith("where: ") and message in str(caught.value)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400


WORDS = [
    "group",
    "price",
    "tags",
    "item",
    "`two words`",
    "==",
    "!=",
    "<",
    ">=",
    "in",
    "not",
    "and",
    "or",
    "is",
    "None",
]
WORDS += [
    "'BAG'",
    '"x"',
    "3",
    "-1.5",
    "(",
    ")",
    "[",
    "]",
    ",",
    "'",
    "`",
    "\\",
    "#",
    "=",
    "lambda",
    "1e999",
    ":=",
    ";",
    "\t",
]


CLAUSES = [
    "group == 'BAG'",
    "price < 3",
    "-5 <= price < 20",
    "'odd' in tags",
    "item in ['a', 3]",
    "group is None",
]


def sentence(random):
    """Clauses, now and then with a word too many or a character too few."""
    text = CLAUSES[int(random.integers(len(CLAUSES)))]
    for _ in range(random.integers(4)):
        clause = CLAUSES[int(random.integers(len(CLAUSES)))]
        text = [f"{text} and {clause}", f"{clause} or {text}", f"not ({text})"][int(random.integers(3))]
    place = int(random.integers(len(text)))
    if random.random() < 0.3:
        text = f"{text[:place]} {WORDS[int(random.integers(len(WORDS)))]} {text[place:]}"
    elif random.random() < 0.3:
        text = text[:place] + text[place + 1 :]
    found = matching(ROWS, text)
    assert found.dtype == bool and len(found) == ROWS.height
    assert (matching(ROWS, f"not ({text})") == ~found).all()


def test_sentences_without_sense_are_refused():
    fuzz(sentence, inputs=500, allowed=RequestError)

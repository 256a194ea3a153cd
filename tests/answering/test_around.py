"""Conditions that name what surrounds a request."""

import polars as pl
import pytest

from intertask.answering.around import Around, matching_around
from intertask.errors import RequestError

DAY = 86_400
NOW = 1_800_000_000.0  # 2027-01-15T08:00:00Z
ROWS = pl.DataFrame(
    {
        "item": ["a", "b", "c", "d"],
        "brand": ["X", "Y", "X", None],
        "tags": [["odd", "new"], ["even"], [], None],
        "price": pl.Series([19.99, -5.0, 20.0, None], dtype=pl.Float64),
        "on sale": [True, False, None, True],
        "open": [True, False, None, True],
        "released": ["2027-01-14", "2027-01-15T10:00:00+02:00", "2026-12-01T00:00:00Z", "soon"],
        "seconds": [int(NOW) - 3 * DAY, int(NOW), 0, None],
    }
)
USER = {"brand": "X", "age": 30, "likes": ["odd", "red"], "member": True, "nothing": None, "two words": "Y"}
AROUND = Around({"user": USER, "context": {"country": "DE"}}, NOW, "set it")


@pytest.mark.parametrize(
    ("condition", "items"),
    [
        ("brand == user.brand", "ac"),
        ("user.brand == brand", "ac"),
        ("brand != user.brand", "bd"),
        ("brand == user.`two words`", "b"),
        ("brand == user.missing", ""),  # what is missing equals nothing
        ("brand == user.nothing", ""),
        ("brand != user.missing", "abcd"),
        ("brand == user.age", ""),  # nor does what is of another kind
        ("price < user.age", "abc"),
        ("user.age < price", ""),
        ("price > user.brand", ""),
        ("user.age >= 30", "abcd"),
        ("29 < user.age < 31", "abcd"),
        ("user.age < 'x'", ""),
        ("user.member", "abcd"),
        ("user.brand", ""),
        ("not user.member", ""),
        ("user.member == True", "abcd"),
        ("user.member == 1", ""),
        ("context.country == 'DE' and brand == 'Y'", "b"),
        ("context.country in ['DE', 'AT']", "abcd"),
        ("context.country not in ['DE', 'AT']", ""),
        ("user.brand in ['Z', context.country]", ""),
        ("user.brand in tags", ""),
        ("'odd' in user.likes", "abcd"),
        ("'E' in context.country", "abcd"),
        ("brand in user.likes", ""),
        ("brand in [user.brand, 'Y']", "abc"),
        ("user.missing in tags", ""),
        ("'odd' in tags or 'even' in tags", "ab"),
        ("`on sale`", "ad"),
        ("open == True", "ad"),
        ("open != True", "bc"),
        ("open == False", "b"),
        ("open == None", "c"),
        ("open == user.member", "ad"),
        ("not open and brand == 'Y'", "b"),
        ("has(price)", "abc"),
        ("not has(tags)", "cd"),
        ("has(user.brand) and not has(user.missing)", "abcd"),
        ("has(`on sale`)", "abd"),
        ("age_days(released) < 2", "ab"),
        ("age_days(released) < 0.1", "b"),
        ("age_days(released) > 30", "c"),
        ("0 <= age_days(seconds) <= 3", "ab"),
        ("price == None", "d"),
        ("price in [20, None]", "cd"),
        ("price < 20 and item in ['a', 'b']", "ab"),
    ],
)
def test_a_condition_finds_the_rows_that_meet_it(condition, items):
    found = matching_around(ROWS, condition, AROUND)
    assert "".join(ROWS["item"].filter(pl.Series(found))) == items


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("brnd == 'x'", "expected columns of the catalogue, 'item', 'brand'"),
        ("brnd == 'x'", "set it"),
        ("shop.brand == 'x'", "expected user.NAME or context.NAME, found 'shop.brand'"),
        ("user.brand.name == 'x'", "expected a condition"),
        ("brand", "expected a condition"),
        ("brand == True", "expected a value of the kind of 'brand', found True"),
        ("open < True", "expected == or != with 'open'"),
        ("open == 'x'", "expected a value of the kind of 'open', found 'x'"),
        ("price == 'x'", "expected numbers to compare with 'price', found 'x'"),
        ("tags == 'odd'", "write 'odd' in tags"),
        ("brand == price", "expected a condition"),
        ("'a' == 'a'", "expected a condition"),
        ("price < None", "expected a condition"),
        ("3 in tags", "expected a condition"),
        ("'x' in price", "expected text or tags in 'price'"),
        ("'x' in ['x']", None),
        ("brand < ['x']", "expected a condition"),
        ("has(1)", "expected a condition"),
        ("has()", "expected a condition"),
        ("has(brand, price)", "expected a condition"),
        ("has(x=brand)", "expected a condition"),
        ("age_days(tags) < 1", "expected times in 'tags', found tags"),
        ("age_days('x') < 1", "expected a condition"),
        ("age_days(brand)", "expected a condition"),
        ("exec(brand) == 1", "expected a condition"),
        ("user.__class__ == 1", None),
        ("(lambda: 1)() == price", "expected a condition"),
        ("price + 1 == 2", "expected a condition"),
        ("", "expected a condition"),
    ],
)
def test_what_is_no_condition_is_refused_in_one_line(condition, message):
    if message is None:  # read, and met by nothing that is not plainly so
        assert matching_around(ROWS, condition, AROUND).sum() in (0, 4)
        return
    with pytest.raises(RequestError) as caught:
        matching_around(ROWS, condition, AROUND)
    assert str(caught.value).startswith("where: ") and message in str(caught.value)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400

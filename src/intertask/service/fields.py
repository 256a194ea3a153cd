"""The parts that bodies are made of: ids, moments, numbers, each checked where it comes in.

Ids are texts; a whole number stands for its spelling. Times are text of RFC 3339 with an offset.
"""

import math
import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
)

from intertask.data.columns import EDGES
from intertask.service.schema import now

LONGEST_ID = 200
LONGEST_CURSOR = 65_536
MOST_EVENTS = 5_000
MOST_EXPLAINED = 50
MOST_HISTORY = 1_000
MOST_IDS = 10_000
MOST_K = 1_000
MOST_PROPERTIES = 100
AHEAD = 86_400_000_000  # microseconds: clocks of clients are wrong by hours
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def _identifier(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise ValueError("an id: text or a whole number")
    text = value.strip(EDGES)
    if not text:
        raise ValueError("an id of at least one character")
    if len(text) > LONGEST_ID:
        raise ValueError(f"an id of at most {LONGEST_ID} characters, not one of {len(text):,}")
    return text


def _moment(value: object) -> object:
    """Microseconds since 1970."""
    if isinstance(value, int) and not isinstance(value, bool):
        raise ValueError("a time such as 2026-12-01T10:00:00Z, not a number")
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise ValueError("a time with its offset such as 2026-12-01T10:00:00Z")
    try:
        found = datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("a time that there is, such as 2026-12-01T10:00:00Z") from None
    moment = (found - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    if not 0 <= moment <= now() + AHEAD:
        raise ValueError("a time from 1970 on and not later than tomorrow")
    return moment


def spelled(moment: int) -> str:
    """A moment as it is written."""
    found = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=moment)
    return found.isoformat().replace("+00:00", "Z")


def _finite(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("a finite number")
    return float(value)


Identifier = Annotated[StrictStr, BeforeValidator(_identifier, json_schema_input_type=str | int)]
Moment = Annotated[StrictInt, BeforeValidator(_moment, json_schema_input_type=datetime)]


def _time(value: object) -> object:
    """A moment of any year, kept as it is written."""
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise ValueError("a time with its offset such as 2026-12-01T10:00:00Z")
    try:
        datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("a time that there is, such as 2026-12-01T10:00:00Z") from None
    return value.upper()


def microseconds(written: str) -> int:
    """A time that was checked, in microseconds since 1970."""
    found = datetime.fromisoformat(written).astimezone(UTC)
    return (found - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


Time = Annotated[StrictStr, BeforeValidator(_time, json_schema_input_type=datetime)]
Number = Annotated[StrictFloat, BeforeValidator(_finite, json_schema_input_type=float)]
PageCursor = Annotated[StrictStr, Field(min_length=1, max_length=LONGEST_CURSOR)]
Word = Annotated[StrictStr, Field(min_length=1, max_length=LONGEST_ID)]
Scalar = StrictStr | StrictBool | StrictInt | StrictFloat | None

Attributes = Annotated[dict[Word, Scalar], Field(max_length=MOST_PROPERTIES)]


class Body(BaseModel):
    """What a request or an answer holds: unknown names are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class NoBody(Body):
    """Nothing."""

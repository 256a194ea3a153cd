"""Bodies and queries of HTTP as typed objects: bounded, of strict JSON, refused in one clear line."""

import os
import re
import secrets
from pathlib import Path
from typing import TypeVar, get_args, get_origin
from urllib.parse import parse_qsl

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from starlette.requests import Request

from intertask.errors import IntertaskError
from intertask.options import arguments
from intertask.service.fields import Body
from intertask.service.refusals import RefusedError, TooLargeError, UnavailableError
from intertask.service.wording import expected, names_at, nearest
from intertask.storage.untrusted import json_of, refuse_extremes

MOST_BYTES = 4 << 20
MOST_FILE_BYTES = 8 << 30
LONGEST_FOUND = 200
MOST_NAMES = 100  # of a query
_WHOLE = re.compile(r"-?[0-9]{1,18}")

Read = TypeVar("Read", bound=Body)


async def body_of(request: Request) -> bytes:
    """The body, which has an end and a limit.

    Raises:
        TooLargeError: It has more bytes than that.
    """
    told = request.headers.get("content-length", "0")
    if told.isdecimal() and len(told) < 20 and int(told) > MOST_BYTES:
        raise _too_large()
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MOST_BYTES:
            raise _too_large()
        parts.append(part)
    return b"".join(parts)


async def file_of(request: Request, folder: Path, name: str) -> str:
    """The name of the file in a folder that the body becomes, once it is there as a whole.

    Args:
        request: With the body.
        folder: Made where it is missing.
        name: That the client gives it, of which the ending stays.

    Raises:
        TooLargeError: It has more bytes than a file may have.
        UnavailableError: There is no room for it.
    """
    ending = "".join(Path(name).suffixes[-2:] if name.endswith(".gz") else Path(name).suffixes[-1:])
    name, size = f"{secrets.token_hex(16)}{ending}", 0
    part = folder / f"{name}.part"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        with part.open("xb") as handle:
            async for content in request.stream():
                size += len(content)
                if size > MOST_FILE_BYTES:
                    raise TooLargeError(
                        "body", f"at most {MOST_FILE_BYTES:,} bytes", "more", "send parts of it"
                    )
                handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        part.rename(folder / name)
    except OSError as error:
        raise UnavailableError(
            "import", "room for the file", error.strerror or str(error), "free some space and send it again"
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return name


def parsed(content: bytes, kind: type[Read]) -> Read:
    """A body of JSON.

    Raises:
        RefusedError: Names the first thing that is wrong with it.
    """
    try:
        table = json_of(content, "body")
    except IntertaskError as error:
        raise RefusedError(error.where, error.expected, error.found, error.hint) from None
    return checked(table, kind)


def of_query(query: bytes, kind: type[Read]) -> Read:
    """What stands in the query, as it was sent, numbers as such.

    Raises:
        RefusedError: Names the first thing that is wrong with it.
    """
    try:
        given = parse_qsl(
            query.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=MOST_NAMES
        )
    except UnicodeDecodeError:
        raise RefusedError("query", "text in UTF-8", "other bytes", "write it as %XX of its UTF-8") from None
    except ValueError:
        raise RefusedError("query", f"{MOST_NAMES} names at most", "more") from None
    names = [name for name, _ in given]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise RefusedError("query", "each name once", f"{arguments.shown(twice)} twice")
    table: dict[str, object] = {}
    for name, value in given:
        field = kind.model_fields.get(name)
        number = field is not None and _is_number(field.annotation) and _WHOLE.fullmatch(value)
        table[name] = int(value) if number else value
    try:
        refuse_extremes(table, "query")
    except IntertaskError as error:
        raise RefusedError(error.where, error.expected, error.found, error.hint) from None
    return checked(table, kind)


def checked(table: object, kind: type[Read]) -> Read:
    """A table as its typed object.

    Raises:
        RefusedError: Names the first thing that is wrong with it.
    """
    try:
        return kind.model_validate(table)
    except ValidationError as error:
        raise _refusal(error.errors(include_url=False), table, kind) from None


def _refusal(errors: list[ErrorDetails], table: object, kind: type[Body]) -> RefusedError:
    place, found = nearest(errors, table)
    where, first = ".".join(map(str, place)) or "body", found[0]
    if first["type"] == "extra_forbidden":
        names = ", ".join(names_at(kind, first["loc"][:-1]))
        return RefusedError(where, f"one of {names}", "an unknown name")
    if first["type"] == "missing":
        return RefusedError(where, "a value", "nothing", f"add {place[-1]!r}")
    wanted = " or ".join(dict.fromkeys(expected(one)[0] for one in found))
    told = expected(first)[1] or arguments.shown(first["input"])
    return RefusedError(where, wanted, told if len(told) <= LONGEST_FOUND else "something longer")


def _is_number(annotation: object) -> bool:
    return (
        annotation is int
        or any(_is_number(part) for part in get_args(annotation))
        or (get_origin(annotation) is int)
    )


def _too_large() -> TooLargeError:
    return TooLargeError("body", f"at most {MOST_BYTES:,} bytes", "more", "send it in several parts")

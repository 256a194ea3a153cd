"""What a first recipe says of a file about the users of its log."""

from pathlib import Path

from intertask.data.people import People
from intertask.data.roles import Roles
from intertask.proposals.text import beside, key_lines, reading

_COMMENT = "a row for each user; name only what was known before the events"


def people(roles: Roles) -> People | None:
    """What is known of the users; None where no file says it.

    Raises:
        DataError: The file cannot be read so.
    """
    if roles.people is None:
        return None
    how = {name: value for name, value in reading(roles.people).items() if value is not None}
    return People.read(
        roles.people.path,
        user=roles.person,
        categories=roles.attributes,
        numbers=roles.amounts,
        **how,  # type: ignore[arg-type]
    )


def people_lines(file: Path, roles: Roles) -> list[str]:
    """The sections of the recipe; none where no file says anything of users."""
    if roles.people is None:
        return []
    found: dict[str, object] = {
        "path": beside(file, roles.people.path),
        **reading(roles.people),
        "user": roles.person,
        "categories": list(roles.attributes),
        "numbers": list(roles.amounts),
    }
    lines = ["", f"[data.people]  # {_COMMENT}", *key_lines(found)]
    return [*lines, "", "[inputs.person]  # each attribute is read before the first event", 'kind = "table"']

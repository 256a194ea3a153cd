"""Behaviours that a request names are those of the model and of the settings: another one is a typo."""

from collections.abc import Iterable

from intertask.service.refusals import RefusedError
from intertask.service.running import Call, Running


async def refuse_unknown(
    running: Running, call: Call, named: Iterable[tuple[str, str]], hint: str = ""
) -> None:
    """Refuse behaviours that no event can have; before a model is published any may be named.

    Args:
        running: The process.
        call: Who asks.
        named: Places in the request, and the behaviours that stand there.
        hint: What else to say.

    Raises:
        RefusedError: Names the first of them.
    """
    known = await running.model(call.tenant)
    if known is None:
        return
    names = dict.fromkeys((*known.behaviours, *running.place.settings.behaviours))
    for where, name in named:
        if name not in names:
            told = "name a new one in service.toml, behaviours = [...]" + (f"; {hint}" if hint else "")
            raise RefusedError(where, f"one of {', '.join(names)}", repr(name), told)


def placed(where: str, names: Iterable[str]) -> list[tuple[str, str]]:
    """Each name with its place in a list of the request."""
    return [(f"{where}.{place}", name) for place, name in enumerate(names)]

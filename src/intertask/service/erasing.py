"""Everything about a person is erased: events, properties, lists, exports; with a receipt."""

import asyncio
import json
from pathlib import Path

from intertask.errors import IntertaskError
from intertask.service.jobs import Facts, ForgetArguments
from intertask.service.properties import DeletePerson
from intertask.service.schema import now
from intertask.service.work import Work
from intertask.storage.files import written_aside

AGAIN_SECONDS = 2.0  # after which what was under way has been written, and is erased too
SETTLED_SECONDS = 30.0
LONG_ENOUGH = 8  # characters of an id that stands in files by chance hardly ever
_PART = 1 << 22


async def erase(work: Work) -> Facts:
    """Erase a person; what was found where.

    Raises:
        IntertaskError: A file that holds the person is being used: it is tried again when that is over.
    """
    name = str(work.job.arguments["user"])
    erased = DeletePerson(tenant=work.job.tenant, person=name)
    found = (await work.write(erased)).changed
    exports = sum([await asyncio.to_thread(_without, file, name) for file in _exports(work.place.folder)])
    await asyncio.sleep(AGAIN_SECONDS)
    await work.write(erased)
    uploads = [
        file.name for file in work.place.uploads.glob("*") if await asyncio.to_thread(_holds, file, name)
    ]
    trainings = [file.parent.name for file in work.place.folder.glob("jobs/*/job.json")]
    if uploads or trainings:
        raise IntertaskError(
            "erase",
            "no import or training under way, whose files may hold the user",
            f"{len(uploads) + len(trainings)} of them",
            "what is in the database is erased; ask again when they are done",
        )
    left = await _left(work, name) if len(name) >= LONG_ENOUGH else []
    # The job itself must not remember who it was about.
    await work.write(ForgetArguments(tenant=work.job.tenant, job=work.job.job))
    receipt: Facts = {"found": found, "exports_rewritten": exports, "erased_at": now()}
    return receipt | {"files_that_still_hold_the_id": ", ".join(left)}


async def _left(work: Work, name: str) -> list[str]:
    """Files of the service that hold the id, once the database has settled; models hold no users."""
    end = asyncio.get_running_loop().time() + SETTLED_SECONDS
    while True:
        files = [
            file for file in work.place.folder.rglob("*") if file.is_file() and "models" not in file.parts
        ]
        held = [
            str(file.relative_to(work.place.folder))
            for file in files
            if await asyncio.to_thread(_holds, file, name)
        ]
        # The job's own arguments are in the database until the receipt is written.
        own = [file for file in held if not file.startswith("store.sqlite")]
        if not own or asyncio.get_running_loop().time() > end:
            return own
        await asyncio.sleep(0.5)


def _exports(folder: Path) -> list[Path]:
    return sorted((folder / "exports").glob("*.jsonl"))


def _without(file: Path, name: str) -> bool:
    """Rewrite an export without a person; whether the person was in it."""
    if not _holds(file, name):
        return False
    found = False
    with (
        written_aside(file) as aside,
        file.open(encoding="utf-8") as source,
        aside.open("w", encoding="utf-8") as out,
    ):
        for line in source:
            if json.loads(line)["user"] == name:
                found = True
            else:
                out.write(line)
    return found


def _holds(file: Path, name: str) -> bool:
    """Whether a file holds the bytes of an id, as it is or as JSON spells it."""
    wanted = {name.encode(), json.dumps(name)[1:-1].encode()}
    longest = max(map(len, wanted))
    try:
        with file.open("rb") as handle:
            before = b""
            while part := handle.read(_PART):
                if any(one in before + part for one in wanted):
                    return True
                before = part[-longest:]
    except FileNotFoundError:
        pass
    return False

"""Everything about a person is erased: events, properties, lists, exports; with a receipt."""

import asyncio
import json
from collections.abc import Set
from pathlib import Path

from intertask.errors import IntertaskError
from intertask.service import jobs
from intertask.service.jobs import Facts, ForgetArguments
from intertask.service.properties import DeletePerson
from intertask.service.schema import now
from intertask.service.work import Work
from intertask.storage.files import written_aside

AGAIN_SECONDS = 2.0  # after which what was under way has been written, and is erased too
SETTLED_SECONDS = 30.0
LONG_ENOUGH = 8  # characters of an id that stands in files by chance hardly ever
NOT_LOOKED = "not looked for: an id of under 8 characters stands in files by chance"
MOST_JOBS = 1_000_000
_PART = 1 << 22


async def erase(work: Work) -> Facts:
    """Erase a person; what was found where.

    Raises:
        IntertaskError: A file that holds the person is being used: it is tried again when that is over.
    """
    name = str(work.job.arguments["user"])
    erased = DeletePerson(tenant=work.job.tenant, person=name)
    found = (await work.write(erased)).changed
    own = {one.job for one in await work.access.read(jobs.jobs, work.job.tenant, MOST_JOBS)}
    files = [file for file in _exports(work.place.folder) if file.stem in own]
    exports = sum([await asyncio.to_thread(_without, file, name) for file in files])
    await asyncio.sleep(AGAIN_SECONDS)
    await work.write(erased)
    going = [one for one in await work.access.read(jobs.under_way) if one.tenant == work.job.tenant]
    sent = [work.place.uploads / str(one.arguments["upload"]) for one in going if "upload" in one.arguments]
    uploads = [file.name for file in sent if await asyncio.to_thread(_holds, file, name)]
    folders = [work.place.folder / "jobs" / one.job for one in going]
    trainings = [folder.name for folder in folders if (folder / "job.json").exists()]
    if uploads or trainings:
        raise IntertaskError(
            "erase",
            "no import or training under way, whose files may hold the user",
            f"{len(uploads) + len(trainings)} of them",
            "what is in the database is erased; ask again when they are done",
        )
    left = ", ".join(await _left(work, name, own)) if len(name) >= LONG_ENOUGH else NOT_LOOKED
    # The job itself must not remember who it was about.
    await work.write(ForgetArguments(tenant=work.job.tenant, job=work.job.job))
    receipt: Facts = {"found": found, "exports_rewritten": exports, "erased_at": now()}
    return receipt | {"files_that_still_hold_the_id": left}


async def _left(work: Work, name: str, jobs_of_tenant: Set[str]) -> list[str]:
    """Files of the service that hold the id, once the database has settled; models hold no users.

    Files of other tenants are none of this one's: their people may have the same ids.
    """
    end = asyncio.get_running_loop().time() + SETTLED_SECONDS
    while True:
        files = [
            file
            for file in work.place.folder.rglob("*")
            if file.is_file() and _is_looked_at(file.relative_to(work.place.folder), jobs_of_tenant)
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


def _is_looked_at(file: Path, jobs_of_tenant: Set[str]) -> bool:
    if file.parts[0] in ("models", "uploads"):  # what was sent for jobs under way has been looked at
        return False
    if file.parts[0] == "exports":
        return file.stem in jobs_of_tenant
    return file.parts[0] != "jobs" or file.parts[1] in jobs_of_tenant


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

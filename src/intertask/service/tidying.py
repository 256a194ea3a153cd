"""What is kept for a while alone: files of jobs, exports, lists that were given, keys of requests."""

import contextlib
import shutil
import time
from collections.abc import Iterable
from pathlib import Path

from intertask.service import answers, jobs, tenants
from intertask.service.access import Access
from intertask.service.answers import TrimAnswers
from intertask.service.events import DAY, Forget
from intertask.service.refusals import RefusedError
from intertask.service.schema import now
from intertask.service.settings import Place

STALE_SECONDS = 86_400.0
UNNAMED_SECONDS = 600.0  # between a file that has come and its job
DAY_SECONDS = 86_400.0


async def clear(place: Place, access: Access) -> None:
    """Delete the folders and the uploads of jobs that nobody goes on with: they hold people.

    An upload that no job names yet is left alone for a while: it may be about to be named.
    """
    for folder in (place.folder / "jobs").glob("job_*"):
        with contextlib.suppress(RefusedError):
            if not await access.read(jobs.goes_on, folder.name):
                shutil.rmtree(folder, ignore_errors=True)
    files = [file for file in place.uploads.glob("*") if file.suffix != ".part"]
    with contextlib.suppress(RefusedError):
        needed = {one.arguments.get("upload") for one in await access.read(jobs.under_way)}
        for file in files:
            with contextlib.suppress(OSError):
                if file.name not in needed and time.time() - file.stat().st_mtime > UNNAMED_SECONDS:
                    file.unlink()


async def tidy(place: Place, access: Access) -> None:
    """Forget idempotency keys and lists of long ago; delete old exports, and files that stopped coming."""
    with contextlib.suppress(RefusedError):
        await access.write(Forget())
        before = answers.first(now() - place.settings.answers_days * DAY)
        for tenant in (await access.read(tenants.tenants)).values():
            while (await access.write(TrimAnswers(tenant=tenant, before=before))).changed:
                pass
    await clear(place, access)
    _delete(place.uploads.glob("*.part"), STALE_SECONDS)
    if place.settings.exports_days:
        _delete(place.exports.glob("job_*"), place.settings.exports_days * DAY_SECONDS)


def _delete(files: Iterable[Path], seconds: float) -> None:
    """Delete those that nobody has written to for so long."""
    for file in files:
        with contextlib.suppress(OSError):
            if time.time() - file.stat().st_mtime > seconds:
                file.unlink()

"""The bodies of requests and answers about jobs: what they are asked by, how far they are, what they give."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictInt, StrictStr

from intertask.service.fields import MOST_K, Body, Identifier, Number, PageCursor, Scalar, Word
from intertask.service.jobs import State

_FILE = r"^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,80}\.(csv|tsv|txt|jsonl|ndjson|parquet)(\.gz)?$"


class ImportQuery(Body):
    """A file of events, which is the body: Parquet, CSV with any separator (also .gz) or JSON lines.

    Args:
        name: Of the file; its ending says what it is.
        user: The column of the users; `user` if left out.
        item: The column of the items; `item` if left out.
        behaviour: The column of the behaviours; `behaviour` if left out and there.
        time: The column of the times; `time` if left out and there.
        id: The column of the events' ids; made of the file and the row if left out.
        value: The column of a price, a rating or a number of seconds.
        preview: "yes" stores nothing: the result says what would be stored, and shows the first events.
    """

    name: Annotated[StrictStr, Field(pattern=_FILE)]
    user: Word | None = None
    item: Word | None = None
    behaviour: Word | None = None
    time: Word | None = None
    id: Word | None = None
    value: Word | None = None
    preview: Literal["no", "yes"] = "no"


class ModelQuery(Body):
    """A model's folder as a zip archive, which is the body.

    Args:
        name: Of the archive.
        publish: "yes" publishes it as soon as every process has it ready.
    """

    name: Annotated[StrictStr, Field(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,80}\.zip$")]
    publish: Literal["no", "yes"] = "no"


class TrainBody(Body):
    """A training on all events that are stored.

    Args:
        recipe: As TOML, without [data]; that of the active model if left out.
        publish: "better" publishes what beats popularity and loses nothing against the active model on the
            newest events, which it is not trained on.
    """

    recipe: Annotated[StrictStr, Field(min_length=1, max_length=200_000)] | None = None
    publish: Literal["better", "always", "never"] = "better"


class EraseBody(Body):
    """Whose data are erased."""

    user: Identifier


class FileAnswer(Body):
    """A file.

    Args:
        path: Where it is.
    """

    path: Path


class ReportAnswer(FileAnswer):
    """A page of HTML that needs nothing beside it."""


class JobAnswer(Body):
    """A job.

    Args:
        job: Its id.
        kind: import, export, erase, model, train or tune.
        state: Where it is.
        progress: How far, in its own terms.
        result: What came of it, or why it failed.
        created: When it was asked for.
        updated: When something was heard of it last.
    """

    job: str
    kind: str
    state: State
    progress: dict[str, Scalar]
    result: dict[str, Scalar] | None
    created: str
    updated: str


class JobQuery(Body):
    """Which job."""

    job: Word


class JobsQuery(Body):
    """Which jobs.

    Args:
        k: Length of the page.
        cursor: Of the page before.
    """

    k: Annotated[StrictInt, Field(ge=1, le=MOST_K)] = 50
    cursor: PageCursor | None = None


class JobsAnswer(Body):
    """Jobs, the newest first.

    Args:
        jobs: They.
        cursor: Leads to the older ones; only where there may be some.
    """

    jobs: tuple[JobAnswer, ...]
    cursor: str | None = None


class BetweenBody(Body):
    """A number between two others.

    Args:
        low: The least one.
        high: The greatest one.
        log: Whether its logarithm is drawn evenly.
        step: Between two neighbours.
    """

    low: StrictInt | Number
    high: StrictInt | Number
    log: StrictBool = False
    step: StrictInt | Number | None = None


class TuneBody(Body):
    """A search for better options of a recipe, on all events that are stored.

    Args:
        recipe: As TOML, without [data]; that of the active model if left out.
        space: Keys of the recipe with their values, or with low and high; [tune.space] of the recipe if left
            out.
        minutes: That it may take, the time of a process that died not counted twice.
        trials: At most; as many as the time allows if left out.
    """

    recipe: Annotated[StrictStr, Field(min_length=1, max_length=200_000)] | None = None
    space: (
        Annotated[
            dict[Word, Annotated[list[Scalar], Field(min_length=2, max_length=100)] | BetweenBody],
            Field(min_length=1, max_length=50),
        ]
        | None
    ) = None
    minutes: Annotated[Number, Field(ge=0.05, le=10_080)] = 60.0
    trials: Annotated[StrictInt, Field(ge=1, le=10_000)] | None = None

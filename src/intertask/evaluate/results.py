"""What an evaluation found, as frozen records that JSON can hold.

Knows nothing of how a figure is computed or shown. `evaluation.json` in a run folder is one `Evaluation`;
`targets.parquet` beside it holds what became of each target (`targets`), from which runs are compared.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

import polars as pl
from pydantic import PrivateAttr, computed_field, model_validator

from intertask.errors import DataError, IntertaskError, RequestError
from intertask.evaluate.frames import frame_of
from intertask.evaluate.protocol import AnyProtocol
from intertask.evaluate.sufficiency import in_words
from intertask.options.arguments import shown
from intertask.options.config import Config
from intertask.storage.files import written_aside
from intertask.storage.untrusted import read_bytes
from intertask.terminal.markup import card

JSON_BYTES = 64 << 20  # of evaluation.json


class Found(Config):
    """A record that is written with what follows from it, and read without: that is made anew."""

    @model_validator(mode="before")
    @classmethod
    def _without_what_follows(cls, told: object) -> object:
        if not isinstance(told, dict):
            return told
        return {name: value for name, value in told.items() if name not in cls.model_computed_fields}


class Provenance(Config):
    """Where the figures come from."""

    seed: int
    commit: str
    version: str
    command: str
    date: str
    machine: str


class Interval(Config):
    """A bootstrap confidence interval."""

    low: float
    high: float


class CalibrationBin(Config):
    """Predicted against observed in one bin of a probability."""

    predicted: float
    observed: float
    count: int


class KeptAnswers(Config):
    """The most certain answers, where the others are not given."""

    coverage: float  # their share of all
    risk: float  # the share of them that is wrong
    at_least: float  # the probability from which on they are given


class ScoreRow(Config):
    """The metrics of one system for one task on one slice of the targets."""

    system: str  # "intertask", "popularity", "base rate", "trees", ...
    task: str
    history: str = ""  # "masked" or "kept"; empty for a task that ranks no items
    slice: str = "all"  # "all", "visited", "unvisited", "history 5-9", "item popularity top 10 %", ...
    count: int  # targets in the slice
    metrics: dict[str, float]  # "ndcg@10", "hr@10", ...; "auc", "log_loss", "accuracy"; "rmse", "mae"
    intervals: dict[str, Interval] = {}  # 95 %, bootstrap over users, or what else is drawn
    calibration: list[CalibrationBin] = []  # of probabilities, bins of equal width
    quantiles: list[CalibrationBin] = []  # bins of about as many targets each, which show rare events
    abstention: list[KeptAnswers] = []  # of classes, the most certain answers first
    too_few: str = ""  # why the metrics say little, where they do: an AUC of a single positive


class ListRow(Config):
    """What the served lists are like: "coverage@10", "novelty@10", "diversity@10", "popularity_share@10"."""

    system: str
    task: str
    history: str
    metrics: dict[str, float]


class DifferenceRow(Found):
    """Paired bootstrap of the model against one other system, over the same users; higher is better."""

    task: str
    history: str  # empty for a response task, which has none to mask
    baseline: str
    metric: str
    difference: float  # model minus baseline
    interval: Interval
    too_few: str = ""  # why there is too little to judge by, where there is

    @computed_field  # type: ignore[prop-decorator]  # mypy knows no decorated properties
    @property
    def verdict(self) -> str:
        """ "better" or "worse" where the interval excludes zero, else "no difference shown"; "not judged"."""
        shown = max(self.interval.low, 0.0) + min(self.interval.high, 0.0)
        return in_words(shown, "better", "worse", self.too_few)


class TradeoffRow(Config):
    """What one mixture of two tasks gives to both."""

    first: str
    second: str
    history: str
    weight: float  # of the first task; the second has the rest
    ndcg: dict[str, float]  # task -> NDCG@10 on its own targets


class Finding(Config):
    """Something about log, split, recipe or model that a reader of the figures must know."""

    name: str  # what was looked for, e.g. "future_training"
    severity: Literal["error", "warning", "note"]  # the numbers are wrong; read them with care; good to know
    text: str
    advice: str  # what to do about it
    share: float | None = None  # of the targets that are concerned


class _Figure(Config):
    """One row of a frame of figures."""

    system: str
    task: str
    history: str
    slice: str
    count: int | None
    metric: str
    value: float
    interval: Interval | None


def _written(metrics: Mapping[str, float]) -> str:
    """The figures at one cut-off, the first that the metrics have."""
    cuts = [name.partition("@")[2] for name in metrics]
    shown = "10" if "10" in cuts else cuts[0] if cuts else ""
    own = [(name, value) for name, value in metrics.items() if name.partition("@")[2] == shown]
    return ", ".join(f"{name} {value:.4f}" for name, value in own)


class Evaluation(Config):
    """Everything that one evaluation found."""

    model: str  # name of the recipe
    protocol: AnyProtocol
    fingerprint: str = ""  # of the protocol, for readers of the file alone
    provenance: Provenance
    rankings: list[ScoreRow]  # of the tasks that rank items
    lists: list[ListRow]
    differences: list[DifferenceRow]
    responses: list[ScoreRow]  # of all other tasks
    tradeoffs: list[TradeoffRow] = []  # between the first two behaviours that have a task
    findings: list[Finding] = []  # of the leakage linter, none of them an error
    notes: list[str] = []  # what a reader must know: a baseline cut short, users left out
    seconds: dict[str, float] = {}  # time each system took to fit and to rank
    digests: dict[str, str] = {}  # SHA-256 of targets.parquet; older versions named other tables, or none
    _targets: pl.DataFrame | None = PrivateAttr(default=None)

    @property
    def targets(self) -> pl.DataFrame | None:
        """What became of each target (`targets`); None where it was read from its file alone."""
        return self._targets

    @property
    def scores(self) -> list[ScoreRow]:
        """The rows of all tasks, whatever they answer."""
        return [*self.rankings, *self.responses]

    def with_targets(self, targets: pl.DataFrame) -> "Evaluation":
        """The same evaluation, knowing what became of each target."""
        found = self.model_copy()
        found._targets = targets
        return found

    def to_frame(self, what: Literal["figures", "differences"] = "figures") -> pl.DataFrame:
        """What was found as a frame.

        Args:
            what: "figures": a row for each system, task, history, slice and metric, with the interval where
                there is one; "differences": the model against each baseline.

        Raises:
            RequestError: `what` is neither.
        """
        if what == "differences":
            return frame_of(DifferenceRow, self.differences)
        if what != "figures":
            raise RequestError("to_frame", "'figures' or 'differences'", shown(what))
        return frame_of(_Figure, list(self._figures()))

    def _figures(self) -> Iterator["_Figure"]:
        for row in self.scores:
            for metric, value in row.metrics.items():
                yield _Figure(
                    system=row.system,
                    task=row.task,
                    history=row.history,
                    slice=row.slice,
                    count=row.count,
                    metric=metric,
                    value=value,
                    interval=row.intervals.get(metric),
                )
        for own in self.lists:
            for metric, value in own.metrics.items():
                yield _Figure(
                    system=own.system,
                    task=own.task,
                    history=own.history,
                    slice="all",
                    count=None,
                    metric=metric,
                    value=value,
                    interval=None,
                )

    def _repr_html_(self) -> str:
        """What a notebook shows: a row for each system, by task, and the model against each."""
        facts = [
            ("model", self.model),
            ("part", f"{self.protocol.part}, {self.protocol.split}"),
            ("protocol", self.protocol.fingerprint()),
            ("seed", str(self.provenance.seed)),
        ]
        figures = [
            (row.task, row.history, row.system, f"{row.count:,}", _written(row.metrics))
            for row in self.scores
            if row.slice == "all"
        ]
        against = [
            (row.task, row.history, f"{row.metric}, {row.baseline}", f"{row.difference:+.4f}", row.verdict)
            for row in self.differences
            if row.metric.partition("@")[0] in ("ndcg", "auc", "-log_loss", "-squared_error")
        ]
        return card(
            "Evaluation",
            facts,
            (("task", "history", "system", "targets", "figures"), figures),
            (("task", "history", "model against", "difference", "verdict"), against),
        )

    def __eq__(self, other: object) -> bool:
        """Whether both found the same; what they know of single targets and their files does not count."""
        if not isinstance(other, Evaluation):
            return False
        return self.__dict__ | {"digests": {}} == other.__dict__ | {"digests": {}}

    __hash__ = None  # type: ignore[assignment]

    def write(self, file: Path) -> None:
        """Write as JSON, all or nothing."""
        with written_aside(file) as aside:
            aside.write_text(self.model_dump_json(indent=1), encoding="utf-8")

    @classmethod
    def read(cls, file: Path) -> "Evaluation":
        """Read what `write` wrote.

        Raises:
            DataError: The file is missing or is something else.
        """
        try:
            return cls.model_validate_json(read_bytes(file, JSON_BYTES))
        except IntertaskError as error:
            raise DataError(
                str(file), "the evaluation of a run", error.found, "run `intertask evaluate`"
            ) from None
        except ValueError as error:
            message = str(error).splitlines()[0]
            raise DataError(
                str(file), "the evaluation of a run", message, "run `intertask evaluate`"
            ) from None

"""What makes figures wrong, or better than they look: found in the log, the split, the recipe and the model.

An error means that the numbers would be wrong: evaluation refuses. Every other finding stands beside them.
Metrics on a sample of the candidates, which mislead too, cannot be asked for and need no finding.

Source: Ji et al., "A Critical Study on Data Leakage in Recommender System Offline Evaluation", TOIS 2023;
Meng et al., "Exploring Data Splitting Strategies for the Evaluation of Recommendation Models", RecSys 2020.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from intertask.answers.probability import Probability
from intertask.data.corpus import Corpus
from intertask.data.sequences import Sequences
from intertask.errors import LeakageError
from intertask.evaluate.choosing import choosing_part
from intertask.evaluate.config import HistoryMode
from intertask.evaluate.results import Finding
from intertask.events.copies import copies
from intertask.events.ranking import visited
from intertask.events.splits import Split
from intertask.metrics.bootstrap import SIGNIFICANT
from intertask.tasks import TaskConfig
from intertask.tasks.response import Config as ResponseConfig

TIMES = 3.0  # how far apart two rates have to lie
WORTH_SAYING = 0.01  # share of targets below which the figures move by less than their intervals


@dataclass(frozen=True)
class Evidence:
    """What is looked at.

    Args:
        corpus: All events.
        split: As the recipe says; not yet checked.
        part: What is evaluated.
        tasks: The recipe's.
        history: The ways in which the history is treated.
        query_time: Whether the model knows when the target happens.
        trained: int64 [behaviours, items], how many events of each kind the model was trained on, as its
            artefact says; None where the model has just been trained.
    """

    corpus: Corpus
    split: Split
    part: Literal["validation", "test"]
    tasks: Mapping[str, TaskConfig]
    history: tuple[HistoryMode, ...] = ("masked",)
    query_time: bool = False
    trained: NDArray[np.int64] | None = None

    @property
    def sequences(self) -> Sequences:
        """All events."""
        return self.corpus.sequences

    @property
    def targets(self) -> NDArray[np.int64]:
        """Places of the target events."""
        return self.split.targets(self.part)

    @cached_property
    def followed(self) -> NDArray[np.int64]:
        """Places of the targets that have an event of their user before them."""
        first = self.sequences.offsets[self.sequences.users_of(self.targets)]
        return self.targets[self.targets > first]

    @cached_property
    def training(self) -> Sequences:
        """The training events."""
        return self.split.training(self.sequences)

    @cached_property
    def seen(self) -> NDArray[np.bool_]:
        """Whether each target's item stands in its history."""
        return visited(self.sequences, self.targets)


def findings(evidence: Evidence) -> list[Finding]:
    """Everything there is to say, errors first. After a leaking split nothing else is looked at."""
    leak = _leaking_split(evidence)
    if leak is not None:
        return [leak]
    checks = (
        _other_training,
        _choosing_part,
        _future_training,
        _known_rows,
        _repeats,
        _ties,
        _query_time,
        _unseen,
    )
    found = [finding for check in checks if (finding := check(evidence)) is not None]
    found += [*_labels_of_behaviours(evidence), *_other_rates(evidence)]
    return sorted(found, key=lambda finding: ("error", "warning", "note").index(finding.severity))


def _leaking_split(evidence: Evidence) -> Finding | None:
    try:
        evidence.split.check(evidence.sequences)
    except LeakageError as error:
        text = f"the split leaks: {error}"
        return Finding(
            name="leaking_split",
            severity="error",
            text=text,
            advice="split the log as a recipe's [split] does",
        )
    return None


def _other_training(evidence: Evidence) -> Finding | None:
    if evidence.trained is None:
        return None
    training = evidence.training
    expected = np.bincount(training.items, minlength=training.num_items)
    found = evidence.trained.sum(axis=0)
    other = int((found != expected).sum()) if found.shape == expected.shape else len(expected)
    if not other:
        return None
    return Finding(
        name="other_training",
        severity="error",
        text=f"a model that was trained on {int(found.sum()):,} events, where the training part has "
        f"{int(expected.sum()):,} and other counts for {other:,} of {len(expected):,} items",
        advice="evaluate a model on the log and the split that it was trained with, or train it again",
    )


def _choosing_part(evidence: Evidence) -> Finding | None:
    return choosing_part(evidence.part)


def _future_training(evidence: Evidence) -> Finding | None:
    """Training events of other users; the user's own lie before the target. A split by time has none."""
    clock, training = evidence.sequences.times, evidence.training.times
    if clock is None or training is None or not len(training) or not len(evidence.targets):
        return None
    asked, last = clock[evidence.targets], int(training.max())
    early = asked[asked < last]
    if not len(early):
        return None
    median = float(np.median(early))
    later = 100 * float((training > median).mean())
    return Finding(
        name="future_training",
        severity="warning",
        share=len(early) / len(asked),
        text=f"For {_share(len(early), len(asked))} training knew what other users did later: {later:.0f} % "
        f"of its events follow after the median target, over {_duration(last - median)}.",
        advice="A live service knows no later events; a split by time measures without them.",
    )


def _known_rows(evidence: Evidence) -> Finding | None:
    """Rows and accounts that stand in the log more than once."""
    num_users, targets = evidence.sequences.num_users, evidence.targets
    users, known = copies(evidence.sequences, evidence.split, targets)
    if not users and not known:
        return None
    share = known / max(1, len(targets))
    return Finding(
        name="known_rows",
        severity="warning" if max(share, users / num_users) >= WORTH_SAYING else "note",
        share=share,
        text=f"{users:,} of {num_users:,} users have exactly the events of another user, and "
        f"{_share(known, len(targets))} stand in another user's training events, history and all.",
        advice="If they are copies of accounts or rows, remove them from the log.",
    )


def _repeats(evidence: Evidence) -> Finding | None:
    """Where the history is masked these targets are left out, and the notes say how many."""
    items, targets, followed = evidence.sequences.items, evidence.targets, evidence.followed
    ranked = any(task.answer.ranks for task in evidence.tasks.values())
    if "kept" not in evidence.history or not ranked or not len(targets):
        return None
    seen, last = int(evidence.seen.sum()), int((items[followed] == items[followed - 1]).sum())
    if seen < WORTH_SAYING * len(targets):
        return None
    return Finding(
        name="repeats",
        severity="warning",
        share=seen / len(targets),
        text=f"With the history kept, {_share(seen, len(targets))} stand in their own history, and {last:,} "
        f"repeat the item before them: a copy of the last item has HR@1 {last / len(targets):.4f}.",
        advice="Read the slices visited and unvisited apart.",
    )


def _ties(evidence: Evidence) -> Finding | None:
    times, targets, followed = evidence.sequences.times, evidence.targets, evidence.followed
    if times is None or not len(targets):
        return None
    count = int((times[followed] == times[followed - 1]).sum())
    if count < WORTH_SAYING * len(targets):
        return None
    return Finding(
        name="ties",
        severity="warning",
        share=count / len(targets),
        text=f"{_share(count, len(targets))} happen in the same second as the event before them: "
        "unless the log's clock is finer, the order of its rows decides which event is the target.",
        advice="Use an order column if the log has one, and compare only with figures from the same file.",
    )


def _query_time(evidence: Evidence) -> Finding | None:
    if not evidence.query_time:
        return None
    return Finding(
        name="query_time",
        severity="note",
        text="The model knows the time of the target, as a live service does.",
        advice="Compare it only with models that know it too.",
    )


def _unseen(evidence: Evidence) -> Finding | None:
    sequences, targets = evidence.sequences, evidence.targets
    unseen = np.bincount(evidence.training.items, minlength=sequences.num_items) == 0
    if not unseen.any():
        return None
    count = int(unseen[sequences.items[targets]].sum())
    return Finding(
        name="unseen",
        severity="note",
        share=count / max(1, len(targets)),
        text=f"{int(unseen.sum()):,} of {sequences.num_items:,} candidates have no training event, among "
        f"them the items of {_share(count, len(targets))}.",
        advice="What learns from ids alone cannot be expected to find them.",
    )


def _labels_of_behaviours(evidence: Evidence) -> Iterator[Finding]:
    """Response tasks whose label column says no more than the behaviour of the event."""
    training = evidence.training
    for name, task in evidence.tasks.items():
        if not isinstance(task, ResponseConfig) or task.label is None:
            continue
        labels = task.labels(training, evidence.corpus.behaviours)
        known = ~np.isnan(labels)
        labels, codes = labels[known], training.behaviours[known]
        of_behaviour = np.full(training.num_behaviours, np.nan, dtype=np.float32)
        of_behaviour[codes] = labels  # of several the last one stays, and all the others must equal it
        given = of_behaviour[~np.isnan(of_behaviour)]
        if len(np.unique(given)) > 1 and np.array_equal(of_behaviour[codes], labels):
            yield Finding(
                name="label_is_behaviour",
                severity="warning",
                text=f"Task {name} asks for the behaviour under another name: within each of {len(given)} "
                "behaviours its label is the same for all training events.",
                advice='Ask for it by name (behaviour = "..."), or label the events of one behaviour alone.',
            )


def _other_rates(evidence: Evidence) -> Iterator[Finding]:
    """Binary labels whose rate among the targets is another than in training, by more than chance."""
    names, training = evidence.corpus.behaviours, evidence.training
    for name, task in evidence.tasks.items():
        if not isinstance(task.answer, Probability):
            continue
        learnt = task.truth(training, names)
        asked = task.truth(evidence.sequences, names)[evidence.targets]
        (yes, no), (yes_asked, no_asked) = table = [
            [int((labels == answer).sum()) for answer in (1, 0)] for labels in (learnt, asked)
        ]
        if not (yes and no and yes_asked + no_asked):
            continue
        rate, rate_asked = yes / (yes + no), yes_asked / (yes_asked + no_asked)
        ratios = [(rate_asked / rate), (1 - rate_asked) / (1 - rate)]
        far = max(max(ratio, 1 / ratio if ratio else np.inf) for ratio in ratios)
        if far < TIMES or _chance(table) >= SIGNIFICANT:
            continue
        yield Finding(
            name="label_rate",
            severity="warning",
            text=f"Task {name}: {_percent(rate)} of the labels are yes in training and "
            f"{_percent(rate_asked)} ({yes_asked:,} of {yes_asked + no_asked:,}) among these targets.",
            advice="Probabilities and base rate were learnt from the former. Does the label arrive late, or "
            "does the split ask for other events than it trains on?",
        )


def _chance(table: list[list[int]]) -> float:
    """The probability of a table as uneven as this by chance."""
    from scipy.stats import fisher_exact  # takes a second to import, and few ask

    return float(fisher_exact(table).pvalue)


def _percent(rate: float) -> str:
    return f"{100 * rate:.3g} %"


def _share(count: int, total: int) -> str:
    return f"{count:,} of {total:,} targets ({100 * count / max(1, total):.1f} %)"


def _duration(seconds: float) -> str:
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds:,.0f} seconds"

"""What makes figures of rows wrong, or better than they look: found in the rows, the split and the model.

An error means that the numbers would be wrong: evaluation refuses. Every other finding stands beside them.

Source: Kapoor and Narayanan, "Leakage and the reproducibility crisis in machine-learning-based science",
Patterns 4, 2023: no test set, repeated rows, features that stand for the label, groups and times that are
parted wrongly, preparation that has seen the test part.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from intertask.data.contents import contents
from intertask.data.rows import Rows
from intertask.data.texts import joined
from intertask.errors import LeakageError
from intertask.evaluate.choosing import choosing_part
from intertask.evaluate.results import Finding
from intertask.model import ModelConfig
from intertask.samples.facts import Facts, row_task
from intertask.samples.splits import Split
from intertask.samples.told import labels_among_inputs, told_labels
from intertask.tasks._rows import known

WORTH_SAYING = 0.01  # share of targets below which the figures move by less than their intervals
TIMES = 2.0  # how far apart the shares of a class have to lie


@dataclass(frozen=True)
class Evidence:
    """What is looked at.

    Args:
        config: Of the model.
        rows: All rows.
        split: As the recipe says; not yet checked.
        part: What is evaluated.
        facts: What the rows that train say.
        trained: What the model says that its own did; None where it has just been trained.
    """

    config: ModelConfig
    rows: Rows
    split: Split
    part: Literal["validation", "test"]
    facts: Facts
    trained: Facts | None = None

    @cached_property
    def training(self) -> Rows:
        """The rows that train."""
        return self.rows.take(self.split.train)

    @cached_property
    def targets(self) -> Rows:
        """The rows that are asked for."""
        return self.rows.take(self.split.part(self.part))


def findings(evidence: Evidence) -> list[Finding]:
    """Everything there is to say, errors first. After a leaking split nothing else is looked at."""
    leak = _leaking_split(evidence)
    if leak is not None:
        return [leak]
    checks = (_other_training, _choosing_part, _repeated_rows, _parted_groups, _later_training)
    found = [finding for check in checks if (finding := check(evidence)) is not None]
    found += [*_labels_among_inputs(evidence), *_told_labels(evidence), *_classes(evidence)]
    return sorted(found, key=lambda finding: ("error", "warning", "note").index(finding.severity))


def _leaking_split(evidence: Evidence) -> Finding | None:
    try:
        evidence.split.check(evidence.rows)
    except LeakageError as error:
        return Finding(
            name="leaking_split",
            severity="error",
            text=f"the split leaks: {error}",
            advice="split the rows as a recipe's [split] does",
        )
    return None


def _other_training(evidence: Evidence) -> Finding | None:
    """Also a reader or classes that were fitted on rows of the validation or the test part."""
    if evidence.trained is None or evidence.trained == evidence.facts:
        return None
    other = [
        *(["its input"] if evidence.trained.readers != evidence.facts.readers else []),
        *(f"task {n}" for n, own in evidence.facts.answers.items() if evidence.trained.answers.get(n) != own),
    ]
    return Finding(
        name="other_training",
        severity="error",
        text=f"a model that was fitted on other rows than the training part: {', '.join(other)}",
        advice="evaluate a model on the rows and the split that it was trained with, or train it again",
    )


def _choosing_part(evidence: Evidence) -> Finding | None:
    return choosing_part(evidence.part)


def _repeated_rows(evidence: Evidence) -> Finding | None:
    """Rows whose inputs are those of a training row."""
    names = evidence.rows.inputs.columns
    training, targets = (joined(contents(own.inputs)) for own in (evidence.training, evidence.targets))
    again = targets.join(training.unique(), on=names, how="semi", nulls_equal=True).height
    if not again:
        return None
    share = again / len(evidence.targets)
    return Finding(
        name="repeated_rows",
        severity="warning" if share >= WORTH_SAYING else "note",
        share=share,
        text=f"{_share(again, len(evidence.targets))} have exactly the inputs of a training row.",
        advice="If they are copies of one person or case, remove them, or name a group and split by it.",
    )


def _parted_groups(evidence: Evidence) -> Finding | None:
    if "group" not in evidence.rows.roles.columns or evidence.split.apart:
        return None
    groups = evidence.targets.roles["group"]
    both = groups.is_in(evidence.training.roles["group"].unique().implode())
    if not both.any():
        return None
    num = groups.filter(both).n_unique()
    return Finding(
        name="parted_groups",
        severity="warning",
        share=float(both.to_numpy().mean()),
        text=f"{_share(int(both.sum()), len(groups))} belong to {num:,} groups that training has seen.",
        advice="For groups that are new, such as another hospital, set grouped = true or use groups_out.",
    )


def _later_training(evidence: Evidence) -> Finding | None:
    if "time" not in evidence.rows.roles.columns:
        return None
    asked, last = evidence.targets.roles["time"], evidence.training.roles["time"].max()
    early = int((asked < last).sum())
    if not early:
        return None
    return Finding(
        name="later_training",
        severity="warning",
        share=early / len(asked),
        text=f"For {_share(early, len(asked))} training knew rows of a later time.",
        advice="A live service knows none; walk_forward measures without them.",
    )


def _labels_among_inputs(evidence: Evidence) -> Iterator[Finding]:
    for own in labels_among_inputs(evidence.config, evidence.training):
        yield Finding(
            name="label_among_inputs",
            severity="error",
            text=f"task {own.task}: the input {own.column!r} is its label {own.label!r} under another name",
            advice="take it out of the inputs",
        )


def _told_labels(evidence: Evidence) -> Iterator[Finding]:
    for told in told_labels(evidence.config, evidence.training):
        yield Finding(name="label_is_told", severity="warning", text=told.text, advice=told.advice)


def _classes(evidence: Evidence) -> Iterator[Finding]:
    """Classes of the part that training has not seen; classes that are missing or rarer there."""
    for name, task in evidence.config.tasks.items():
        own = row_task(task)
        label = evidence.targets.labels[own.column(name, evidence.targets)]
        labels = own.labels(name, evidence.targets, evidence.facts.answers[name])
        strange = int((~known(labels) & label.is_not_null().to_numpy()).sum())
        if strange:
            yield Finding(
                name="unseen_classes",
                severity="warning",
                share=strange / len(label),
                text=f"Task {name}: {_share(strange, len(label))} have a class that no training row has, and "
                "are left out.",
                advice="No model can name it; train on rows that have it, or split otherwise.",
            )
        counts: tuple[int, ...] = getattr(evidence.facts.answers[name], "counts", ())
        if labels.ndim > 1 or len(counts) != 2 or not known(labels).any():
            continue
        rate, asked = counts[1] / sum(counts), float((labels[known(labels)] == 1).mean())
        far = max((asked / rate), (1 - asked) / (1 - rate)) >= TIMES
        if far or asked in (0.0, 1.0):
            yield Finding(
                name="label_rate",
                severity="warning",
                text=f"Task {name}: {100 * rate:.3g} % of the training rows are of the second class and "
                f"{100 * asked:.3g} % of these.",
                advice="Probabilities were learnt from the former."
                + (" An AUC needs both classes." if asked in (0.0, 1.0) else ""),
            )


def _share(count: int, total: int) -> str:
    return f"{count:,} of {total:,} rows ({100 * count / max(1, total):.1f} %)"

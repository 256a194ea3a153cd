"""One evaluation of rows: the model and every reference on the same rows, with intervals and findings."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intertask.answers import Answer
from intertask.data.rows import Rows
from intertask.errors import RecipeError
from intertask.evaluate.config import MODEL, EvaluationConfig
from intertask.evaluate.findings import refuse
from intertask.evaluate.protocol import RowsProtocol
from intertask.evaluate.provenance import provenance
from intertask.evaluate.results import DifferenceRow, Evaluation, Finding, ScoreRow
from intertask.evaluate.scoring import Answers, Bootstrap, scored
from intertask.evaluate.targets import together
from intertask.model import Model
from intertask.options.seeds import derive, generator
from intertask.references import Question, ReferenceConfig
from intertask.samples.answering import answers
from intertask.samples.corpus import RowCorpus
from intertask.samples.facts import Facts, row_task
from intertask.samples.feed import weights_of
from intertask.samples.leakage import Evidence, findings
from intertask.samples.naive import always
from intertask.samples.splits import Split
from intertask.samples.units import GROUP, ROW, units
from intertask.tasks._rows import RowTaskConfig, known
from intertask.terminal.progress import bar

MOST_GROUPS = 20  # that have rows of their own in the table


@dataclass
class RowEvaluator:
    """Evaluates one model on one part of one split.

    Args:
        name: Of the recipe.
        model: In evaluation mode.
        facts: That the model was built of.
        corpus: All rows.
        split: Looked at for leakage, as are rows and model.
        config: Options.
        seed: For references and bootstrap.
        part: What is evaluated.
        loaded: Whether the model says itself what it was trained on, and was not trained just now.
        notice: What stands before all other notes.
        known: What else a reader must know, such as how the epoch was chosen.

    Raises:
        LeakageError: The figures would be wrong.
    """

    name: str
    model: Model
    facts: Facts
    corpus: RowCorpus
    split: Split
    config: EvaluationConfig
    seed: int
    part: Literal["validation", "test"] = "test"
    loaded: bool = True
    known: Sequence[Finding] = ()
    notice: str = ""
    notes: list[str] = field(default_factory=list, init=False)
    seconds: dict[str, float] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        began = time.perf_counter()
        rows = self.corpus.rows
        fitted = self.facts
        if self.loaded:
            fitted = Facts.fit(self.model.config, rows.take(self.split.train), self.facts)
        evidence = Evidence(self.model.config, rows, self.split, self.part, fitted, self.facts)
        self.findings = [*findings(evidence), *self.known]
        refuse(self.findings, self.part)
        self.seconds["looking for leakage"] = round(time.perf_counter() - began, 3)
        self.places = self.split.part(self.part)
        self.targets = evidence.targets
        self.training = evidence.training
        self.validation = rows.take(self.split.validation)
        if self.notice:
            self.notes.append(self.notice)
        self.units, self.unit = units(self.targets)
        if GROUP in rows.roles.columns and self.unit == ROW:
            self.notes.append("intervals draw rows: the part has too few groups to draw groups from")

    def run(self) -> Evaluation:
        """Evaluate everything."""
        protocol = RowsProtocol(
            data=self.corpus.digest(),
            split=self.split.description,
            part=self.part,
            resampled=self.unit,
            num_targets=len(self.places),
        )
        bootstrap = Bootstrap(lambda: generator(self.seed, "bootstrap"), self.config.resamples, protocol.unit)
        began = time.perf_counter()
        tasks = self.model.config.tasks
        told = answers(self.model, self.facts.read(self.targets), list(tasks))
        self.seconds[MODEL] = round(time.perf_counter() - began, 3)
        rows: list[ScoreRow] = []
        against: list[DifferenceRow] = []
        tables: list[pl.DataFrame] = []
        with bar("evaluating", len(tasks)) as move:
            for name, config in tasks.items():
                found = self._asked(name, row_task(config), told[name])
                if found is not None:
                    some, by_system = found
                    members = {group: own[some] for group, own in self._groups().items()}
                    own = scored(name, by_system, self.units[some], self.places[some], bootstrap, members)
                    rows, against, tables = (
                        [*rows, *own.rows],
                        [*against, *own.differences],
                        [*tables, own.table],
                    )
                move(1, f"{name} done")
        return Evaluation(
            model=self.name,
            protocol=protocol,
            fingerprint=protocol.fingerprint(),
            provenance=provenance(self.seed),
            rankings=[],
            lists=[],
            differences=against,
            responses=rows,
            findings=self.findings,
            notes=self.notes,
            seconds=self.seconds,
        ).with_targets(together(tables))

    def _groups(self) -> dict[str, NDArray[np.bool_]]:
        """The rows of each group, where there are several and not too many."""
        if GROUP not in self.targets.roles.columns:
            return {}
        groups = self.targets.roles[GROUP]
        names = groups.unique().sort()
        if not 2 <= len(names) <= MOST_GROUPS:
            return {}
        return {f"{GROUP}: {name}": (groups == name).to_numpy() for name in names}

    def _asked(
        self, name: str, config: RowTaskConfig, told: NDArray[np.generic]
    ) -> tuple[NDArray[np.int64], dict[str, Answers]] | None:
        """The rows with a label, and what each system answers to them; None where there are none."""
        facts = self.facts.answers[name]
        labels = config.labels(name, self.targets, facts)
        some = np.flatnonzero(known(labels))
        if not len(some):
            self.notes.append(f"task {name}: no row has a label")
            return None
        if len(some) < len(labels):
            self.notes.append(
                f"task {name}: {len(some):,} of {len(labels):,} rows have a label that is known"
            )
        answer, truth = config.known_answer(facts), labels[some]
        found = {MODEL: Answers(answer, truth, told[some])}
        training, validation = (self._question(name, config, own) for own in (self.training, self.validation))
        found["base rate"] = Answers(answer, truth, answer.base_rate(training.truth, told[some]))
        rows = self.facts.plain(self.targets.take(some))
        for reference, own in {**always(name, config, rows), **self.config.references}.items():
            predicted = self._reference(reference, own, name, answer, training, validation, rows)
            if predicted is not None:
                found[reference] = Answers(answer, truth, predicted)
        return some, found

    def _question(self, name: str, config: RowTaskConfig, rows: Rows) -> Question:
        facts = self.facts.answers[name]
        labels = config.labels(name, rows, facts)
        some = np.flatnonzero(known(labels))
        names = getattr(facts, "names", None)
        taken = rows.take(some)
        classes = None if names is None else len(names)
        return Question(self.facts.plain(taken), labels[some], classes, weights_of(taken))

    def _reference(
        self,
        reference: str,
        config: ReferenceConfig,
        task: str,
        kind: Answer,
        training: Question,
        validation: Question,
        rows: Rows,
    ) -> NDArray[np.generic] | None:
        began = time.perf_counter()
        if not config.answers(training):
            self.notes.append(f"reference {reference} does not answer the task {task}")
            return None
        try:
            answer = config.fit(training, validation, derive(self.seed, "reference", reference))
        except RecipeError as error:  # its package is an extra that is not installed
            self.notes.append(f"reference {reference} is missing: {error}")
            return None
        predicted = kind.of_reference(answer(rows), validation.truth, lambda: answer(validation.rows))
        self.seconds[f"{reference}, {task}"] = round(time.perf_counter() - began, 3)
        if config.note and (note := f"{reference}: {config.note}") not in self.notes:
            self.notes.append(note)
        return predicted

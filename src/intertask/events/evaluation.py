"""One evaluation: the model and every baseline on the same targets, with intervals and slices."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Literal

import numpy as np
import polars as pl
import scipy.sparse
from numpy.typing import NDArray

from intertask.data.corpus import Corpus
from intertask.data.counts import interactions
from intertask.errors import RecipeError
from intertask.evaluate.config import ALONE, MODEL, WITHOUT, EvaluationConfig, HistoryMode
from intertask.evaluate.findings import refuse
from intertask.evaluate.provenance import provenance
from intertask.evaluate.results import (
    DifferenceRow,
    Evaluation,
    Finding,
    Interval,
    ListRow,
    ScoreRow,
    TradeoffRow,
)
from intertask.evaluate.scoring import Bootstrap, scored
from intertask.evaluate.sufficiency import too_few
from intertask.evaluate.targets import RANK, together
from intertask.evaluate.targets import rows as target_rows
from intertask.events.leakage import Evidence, findings
from intertask.events.mixing import content, idle
from intertask.events.protocol import protocol
from intertask.events.ranked import RankedSystem, SignalSystem, adding_nothing
from intertask.events.ranking import Ranking, rank_targets
from intertask.events.responses import model_answers, reference_answers
from intertask.events.slices import slices
from intertask.events.splits import Split
from intertask.events.systems import BaselineSystem, ModelSystem, System
from intertask.events.tradeoff import tradeoff
from intertask.metrics import lists
from intertask.metrics.bootstrap import difference_intervals, mean_intervals
from intertask.metrics.ranking import per_query
from intertask.model import Model
from intertask.options.seeds import derive, generator
from intertask.ranking import Ranker
from intertask.sources import SourceConfig, fitted
from intertask.terminal.progress import bar

DRAWS = 100_000_000  # users drawn for one interval; half a million users twice, not 2,000 times
MIN_RESAMPLES = 200  # below that the ends of a 95 % interval are noise
DIVERSITY_LISTS = 10_000  # cosines of every pair in half a million lists took longer than all the rest


@dataclass
class Evaluator:
    """Evaluates one model on one part of one split.

    Args:
        name: Of the recipe.
        model: In evaluation mode.
        corpus: All events and their vocabularies.
        split: Looked at for leakage, as are log and recipe.
        config: Options.
        seed: For baselines and bootstrap.
        item_tags: Sparse [items, tags] for the diversity of lists; the items' users where None.
        part: What is evaluated.
        trained: int64 [behaviours, items], the events that the model says it was trained on; None where it
            has just been trained on this split.
        known: What else a reader must know, such as how the epoch was chosen.
        ranker: What mixes the model's scores with those of other sources; None where it ranks alone.

    Raises:
        LeakageError: The figures would be wrong.
    """

    name: str
    model: Model
    corpus: Corpus
    split: Split
    config: EvaluationConfig
    seed: int
    item_tags: scipy.sparse.csr_matrix | None = None
    part: Literal["validation", "test"] = "test"
    trained: NDArray[np.int64] | None = None
    known: Sequence[Finding] = ()
    ranker: Ranker | None = None
    tables: list[pl.DataFrame] = field(default_factory=list, init=False)
    notes: list[str] = field(default_factory=list, init=False)
    seconds: dict[str, float] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.sequences = self.corpus.sequences
        evidence = Evidence(
            self.corpus,
            self.split,
            self.part,
            self.model.config.tasks,
            self.config.history,
            self.model.config.encoder.uses_query_time,
            self.trained,
        )
        began = time.perf_counter()
        self.findings = [*findings(evidence), *self.known]
        refuse(self.findings, self.part)
        self.seconds["looking for leakage"] = round(time.perf_counter() - began, 3)
        self.targets, self.seen, self.training = evidence.targets, evidence.seen, evidence.training
        users = len(np.unique(self.sequences.users_of(self.targets)))
        self.resamples = min(self.config.resamples, max(MIN_RESAMPLES, DRAWS // max(1, users)))
        if self.resamples < self.config.resamples:
            self._note(f"intervals from {self.resamples} resamples of {users:,} users")
        if self.ranker is not None:
            self.ranker = replace(self.ranker, idle_I=idle(self.model, self.training))
        if self.ranker is not None and self.part == "validation":
            self.ranker = None
            self._note("the ranker was learned on the validation part, where the model is measured alone")

    def run(self) -> Evaluation:
        """Evaluate everything."""
        began = time.perf_counter()
        model_system = ModelSystem(self.model, self.sequences, self.targets)
        self.seconds[f"{MODEL}, encoding"] = round(time.perf_counter() - began, 3)
        rankings: list[ScoreRow] = []
        list_rows: list[ListRow] = []
        differences: list[DifferenceRow] = []
        for (task, history), by_system in self._ranked(model_system).items():
            rankings += self._ranking_rows(task, history, by_system)
            list_rows += self._list_rows(task, history, by_system)
            differences += self._differences(task, history, by_system)
        self.findings = [*self.findings, *adding_nothing(differences)]
        responses, against = self._responses(model_system)
        measured = protocol(
            self.sequences,
            self.split,
            self.part,
            self.config.history,
            query_time=self.model.config.encoder.uses_query_time,
        )
        return Evaluation(
            model=self.name,
            protocol=measured,
            fingerprint=measured.fingerprint(),
            provenance=provenance(self.seed),
            rankings=rankings,
            lists=list_rows,
            differences=differences + against,
            responses=responses,
            tradeoffs=self._tradeoffs(model_system),
            findings=self.findings,
            notes=self.notes,
            seconds=self.seconds,
        ).with_targets(together(self.tables))

    def _ranked(self, model: ModelSystem) -> dict[tuple[str, HistoryMode], dict[str, Ranking]]:
        """The rankings of the model and of every baseline, by task and history, then by system."""
        tasks = self.model.config.tasks_that_rank()
        # One baseline at a time: several hold matrices of items x items.
        found: dict[tuple[str, HistoryMode], dict[str, Ranking]] = {}
        own = [model] if self.ranker is None or not tasks else self._mixed(model, self.ranker)
        baselines = self.config.baselines if tasks else {}
        with bar("evaluating", len(own) + len(baselines)) as move:
            for system in chain(own, self._fitted(baselines)):
                began = time.perf_counter()
                for task in tasks:
                    for history in self.config.history:
                        ranking = self._rank(system, task, history)
                        if ranking is not None:
                            found.setdefault((task, history), {})[system.name] = ranking
                            self._keep(system.name, task, history, ranking)
                self.seconds[f"{system.name}, ranking"] = round(time.perf_counter() - began, 3)
                move(1, f"{system.name} done")
        return found

    def _fitted(self, baselines: Mapping[str, SourceConfig]) -> Iterable[System]:
        for name, baseline in baselines.items():
            began = time.perf_counter()
            try:
                ranker = fitted(
                    baseline, self.training, content(self.model), derive(self.seed, "baseline", name)
                )
            except RecipeError as error:  # its package is an extra that is not installed
                self._note(f"baseline {name} is missing: {error}")
                continue
            self.seconds[f"{name}, fitting"] = round(time.perf_counter() - began, 3)
            note = getattr(ranker, "note", "")
            if note:
                self._note(f"{name}: {note}")
            yield BaselineSystem(name, ranker, self.sequences, self.targets)

    def _mixed(self, model: ModelSystem, ranker: Ranker) -> list[System]:
        """The mixture under the model's name, the model alone, the mixture without it, and each source."""
        asked = (self.sequences, self.targets)
        whole = RankedSystem(MODEL, model, ranker, ranker.mixers, *asked)
        model.name = ALONE
        found: list[System] = [whole, model]
        if ranker.without:
            found.append(RankedSystem(WITHOUT, model, ranker, ranker.without, *asked))
        others = {name: own for name, own in ranker.scores.items() if name not in self.config.baselines}
        return [*found, *(SignalSystem(name, own, *asked) for name, own in others.items())]

    def _rank(self, system: System, task: str, history: HistoryMode) -> Ranking | None:
        """The ranking of the targets that the task is asked about; None where there are none."""
        rows = self.model.config.tasks[task].asked(self.sequences, self.targets, self.corpus.behaviours)
        kept = rows if history == "kept" else rows[~self.seen[rows]]
        if not len(kept):
            self._note(f"task {task}, history {history}: no targets{self._hint if len(rows) else ''}")
            return None
        if len(kept) < len(rows):
            self._note(
                f"task {task}: with the history masked, {len(rows) - len(kept)} of {len(rows)} "
                f"targets stand in it and are left out{self._hint}"
            )
        longest = max(self.config.k)
        if isinstance(system, RankedSystem):
            system = system.under(history)
        return rank_targets(system, task, self.sequences, self.targets, kept, history, longest)

    def _ranking_rows(
        self, task: str, history: HistoryMode, by_system: dict[str, Ranking]
    ) -> Iterable[ScoreRow]:
        rows = next(iter(by_system.values())).rows
        places = self.targets[rows]
        users = self.sequences.users_of(places)
        values = {name: per_query(ranking.ranks, self.config.k) for name, ranking in by_system.items()}
        names = list(values[MODEL])
        for slice_name, members in slices(self.sequences, places, self.training, self.seen[rows]):
            columns = np.stack([v[m][members] for v in values.values() for m in names], axis=1)
            estimates = mean_intervals(
                columns, users[members], self._resampling(), num_resamples=self.resamples
            )
            for place, system in enumerate(values):
                own = slice(place * len(names), (place + 1) * len(names))
                yield ScoreRow(
                    system=system,
                    task=task,
                    history=history,
                    slice=slice_name,
                    count=int(members.sum()),
                    metrics=dict(zip(names, estimates.values[own].tolist(), strict=True)),
                    intervals={
                        name: Interval(low=float(estimates.lows[n]), high=float(estimates.highs[n]))
                        for n, name in enumerate(names, own.start)
                    },
                )

    def _differences(
        self, task: str, history: HistoryMode, by_system: dict[str, Ranking]
    ) -> Iterable[DifferenceRow]:
        users = self.sequences.users_of(self.targets[by_system[MODEL].rows])
        own = per_query(by_system[MODEL].ranks, self.config.k)
        names, lacking = list(own), too_few(users)
        for baseline, ranking in by_system.items():
            if baseline == MODEL:
                continue
            other = per_query(ranking.ranks, self.config.k)
            found = difference_intervals(
                np.stack([own[m] for m in names], 1),
                np.stack([other[m] for m in names], 1),
                users,
                self._resampling(),
                num_resamples=self.resamples,
            )
            for place, metric in enumerate(names):
                yield DifferenceRow(
                    task=task,
                    history=history,
                    baseline=baseline,
                    metric=metric,
                    difference=float(found.values[place]),
                    interval=Interval(low=float(found.lows[place]), high=float(found.highs[place])),
                    too_few=lacking,
                )

    def _list_rows(self, task: str, history: HistoryMode, by_system: dict[str, Ranking]) -> Iterable[ListRow]:
        item_users = lists.users_of_items(self.training)
        counts = np.bincount(self.training.items, minlength=self.training.num_items)
        vectors = self.item_tags if self.item_tags is not None else interactions(self.training).T.tocsr()
        for system, ranking in by_system.items():
            metrics = {}
            for k in self.config.k:
                top = ranking.lists[:, :k]
                metrics[f"coverage@{k}"] = lists.coverage(top, self.training.num_items)
                metrics[f"novelty@{k}"] = lists.novelty(top, item_users, self.training.num_users)
                metrics[f"popularity_share@{k}"] = lists.popularity_share(top, counts)
                some = top[:: -(-len(top) // DIVERSITY_LISTS)]
                if (some >= 0).sum(axis=1).max() > 1:  # a single item is like no other
                    metrics[f"diversity@{k}"] = lists.diversity(some, vectors)
            yield ListRow(system=system, task=task, history=history, metrics=metrics)

    def _responses(self, system: ModelSystem) -> tuple[list[ScoreRow], list[DifferenceRow]]:
        """How well the tasks that rank nothing are answered, and the model against what needs no model."""
        found, against = [], []
        for name, config in self.model.config.tasks.items():
            if config.answer.ranks:
                continue
            rows = config.asked(self.sequences, self.targets, self.corpus.behaviours)
            if not len(rows):
                self._note(f"task {name}: no target has a label")
                continue
            targets, behaviours = self.targets[rows], self.corpus.behaviours
            answers = model_answers(system, name, self.sequences, self.targets, rows, behaviours)
            items = self.sequences.items[targets]
            others = reference_answers(answers, config, self.training, items, behaviours)
            own = scored(
                name,
                {MODEL: answers, **others},
                self.sequences.users_of(targets),
                targets,
                Bootstrap(self._resampling, self.resamples),
                judge_auc=False,
            )
            found += own.rows
            against += own.differences
            self.tables.append(own.table)
        return found, against

    def _tradeoffs(self, system: ModelSystem) -> list[TradeoffRow]:
        """Mixtures of the first two tasks that ask for different behaviours, where both have targets."""
        if not self.config.tradeoff:
            return []
        tasks = self.model.config.tasks
        own = {name: getattr(tasks[name], "behaviour", None) for name in self.model.config.tasks_that_rank()}
        by_behaviour = {behaviour: name for name, behaviour in reversed(own.items()) if behaviour is not None}
        history, rows = self.config.history[0], {}
        for name in [name for name in own if name in by_behaviour.values()][:2]:
            asked = tasks[name].asked(self.sequences, self.targets, self.corpus.behaviours)
            rows[name] = asked if history == "kept" else asked[~self.seen[asked]]
        if len(rows) < 2 or not all(map(len, rows.values())):
            return []
        first, second = rows
        return tradeoff(system, first, second, self.sequences, self.targets, rows, history)

    def _keep(self, system: str, task: str, history: HistoryMode, ranking: Ranking) -> None:
        targets = self.targets[ranking.rows]
        users = self.sequences.users_of(targets)
        self.tables.append(target_rows(system, task, history, users, targets, RANK, ranking.ranks))

    @property
    def _hint(self) -> str:
        return "" if "kept" in self.config.history else '; history = ["kept"] asks for them'

    def _resampling(self) -> np.random.Generator:
        return generator(self.seed, "bootstrap")

    def _note(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)

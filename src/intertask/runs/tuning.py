"""Looks for better options of a recipe within some minutes: `intertask tune`.

Optuna proposes (TPE), and stops trials whose validation curve is below the median. Each trial is the folder
of a run that goes on after a kill; the study lies in a journal file. Trial 0 is the recipe as it stands. The
last third of the time goes to the finalists, with more seeds; the test part is read once, for the winner and
trial 0. Trial 0's is read before the search, so that it is known how much time the winner's must have.
"""

import importlib.util
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from statistics import fmean
from typing import Any

from intertask.errors import RecipeError, RequestError, TrainingError
from intertask.options.config import read_toml
from intertask.options.overrides import changed
from intertask.recipe import Recipe
from intertask.runs import run as runs
from intertask.runs import space as spaces
from intertask.runs.findings import Trial, Tuned, page
from intertask.runs.space import Space, Value
from intertask.storage.files import written_aside
from intertask.terminal.progress import Epoch, heard

SEARCH = 0.7  # of the time; the rest is for the finalists
FINALISTS, SEEDS = 2, 3
STATE = "tuning.json"
JOURNAL = "study.journal"
MOST_FAILED = 20  # trials one after the other

Say = Callable[[str], None]


class _OverError(Exception):
    """The time is over."""


def tune(file: Path, folder: Path, minutes: float, most: int | None = None, say: Say = print) -> Tuned:
    """Tune a recipe; the same call goes on where it was after a kill.

    Args:
        file: The recipe, with its `[tune.space]`.
        folder: For the trials, the journal and what came of it.
        minutes: That it may take, over all starts.
        most: Trials at most; as many as the time allows if None.
        say: Prints a line.

    Raises:
        RecipeError: The recipe or its space cannot be.
        RequestError: Optuna is missing, or the folder is of another tuning.
    """
    if importlib.util.find_spec("optuna") is None:
        raise RequestError("intertask tune", "the extra `tune`", "no optuna", 'pip install "intertask[tune]"')
    recipe, space = Recipe.read(file), spaces.read(file)
    _refuse_strange(file, space)
    state = _State.opened(folder, file, minutes)
    return _Tuning(file, folder, recipe, space, state, minutes * 60, most, say).run()


def _refuse_strange(file: Path, space: Space) -> None:
    """Refuse a key of which no value makes a recipe: that it has none, as a rule."""
    for key, part in space.items():
        values = part.values if isinstance(part, spaces.Choice) else (part.low, part.high)
        reasons: list[RecipeError] = []
        for value in values:
            try:
                Recipe.read(file, spaces.changes({key: value}))
            except RecipeError as error:
                reasons.append(error)
        if len(reasons) == len(values):
            raise reasons[0]


class _State:
    """What is kept beside the journal: whose tuning it is, and how long it has taken."""

    def __init__(self, file: Path, table: dict[str, Any]) -> None:
        self.file, self.table = file, table

    @classmethod
    def opened(cls, folder: Path, recipe: Path, minutes: float) -> "_State":
        text = recipe.read_text(encoding="utf-8")
        file = folder / STATE
        if file.exists():
            table = json.loads(file.read_text(encoding="utf-8"))
            if table["recipe"] != text:
                raise RequestError(
                    str(folder), "the tuning of this recipe", "that of another one", "choose another --folder"
                )
            return cls(file, table)
        if folder.exists() and any(folder.iterdir()):
            raise RequestError(str(folder), "a new folder, or that of a tuning", "another one")
        folder.mkdir(parents=True, exist_ok=True)
        state = cls(file, {"recipe": text, "seconds": 0.0, "monitor": "", "scores": {}})
        state.write()
        return state

    def write(self) -> None:
        with written_aside(self.file) as aside:
            aside.write_text(json.dumps(self.table), encoding="utf-8")


class _Tuning:
    def __init__(
        self,
        file: Path,
        folder: Path,
        recipe: Recipe,
        space: Space,
        state: _State,
        seconds: float,
        most: int | None,
        say: Say,
    ) -> None:
        self.file, self.folder, self.recipe, self.space = file, folder, recipe, space
        self.state, self.seconds, self.most, self.say = state, seconds, most, say
        self._mark = time.monotonic()
        self._epoch_seconds = 0.0  # of the last one: another is not begun where there is no time for it

    def run(self) -> Tuned:
        import optuna
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        storage = JournalStorage(JournalFileBackend(str(self.folder / JOURNAL)))
        pruner = optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=1)
        study = optuna.create_study(
            storage=storage, study_name="tune", direction="maximize", load_if_exists=True, pruner=pruner
        )
        default = self._score(0, {}, self.recipe.seed, None, 1.0)
        if default is None:
            raise RequestError(
                "intertask tune",
                "time for the recipe as it stands",
                f"{self.seconds / 60:g} minutes",
                "give it more --minutes; what was trained is kept",
            )
        self.say(f"trial 0, the recipe as it stands: {self.state.table['monitor']} {default:.4f}")
        self._read_test(0)
        self._search(study)
        trials = [Trial(0, {}, default, "as it stands"), *map(_told, study.get_trials(deepcopy=False))]
        return self._decided(trials)

    def _search(self, study: Any) -> None:  # noqa: ANN401  (optuna is imported late)
        import optuna

        failed = 0
        while not self._over(SEARCH):
            waiting = [one for one in study.trials if not one.state.is_finished()]  # killed while it ran
            if not waiting and self.most is not None and len(study.trials) >= self.most:
                return
            if waiting:
                trial = optuna.trial.Trial(study, waiting[0]._trial_id)
            else:
                # The same draws after a kill: they hang on what was found before, and on the number.
                seed = self.recipe.seed + len(study.trials)
                study.sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=5)
                trial = study.ask()
            number = trial.number + 1
            values = {key: part.suggested(trial, key) for key, part in self.space.items()}
            trial.set_user_attr("values", values)
            try:
                score = self._score(number, values, self.recipe.seed, trial, SEARCH)
            except (RecipeError, TrainingError) as error:
                trial.set_user_attr("told", str(error))
                study.tell(trial, state=optuna.trial.TrialState.FAIL)
                failed += 1
                if failed >= MOST_FAILED:
                    raise
                continue
            failed = 0
            if score is None:
                study.tell(trial, state=optuna.trial.TrialState.PRUNED)
                self.say(f"trial {number}: stopped early")
            else:
                study.tell(trial, score)
                self.say(f"trial {number}: {score:.4f}  {' '.join(spaces.changes(values))}")

    def _score(
        self,
        number: int,
        values: Mapping[str, Value],
        seed: int,
        trial: Any,  # noqa: ANN401
        part: float,
    ) -> float | None:
        """What a recipe reaches on the validation part; None where it is stopped."""
        key = f"{number}/{seed}"
        known: float | None = self.state.table["scores"].get(key)
        if known is not None:
            return known

        def told(epoch: Epoch) -> None:
            before = self.state.table["seconds"]
            self._count()
            self._epoch_seconds = self.state.table["seconds"] - before
            if self._over(part):
                raise _OverError
            value = _monitored(epoch.metrics, self.recipe)
            if trial is not None and value is not None:
                trial.report(value, epoch.number)
                if trial.should_prune():
                    raise _OverError

        folder = self.folder / "trials" / f"{number:04}-{seed}"
        settings = [*spaces.changes(values), "train.refit=false"]
        try:
            with heard(told):
                trained = runs.train(self.file, folder, seed, settings).trained
        except _OverError:
            self._count()
            return None
        self._count()
        self.state.table["monitor"] = trained.monitor
        self.state.table["scores"][key] = float(trained.best_metric)
        self.state.write()
        return float(trained.best_metric)

    def _decided(self, trials: list[Trial]) -> Tuned:
        """The best of the finalists by their means over seeds that all of them had; in doubt trial 0."""
        best = sorted((one for one in trials[1:] if one.score is not None), key=lambda one: -(one.score or 0))
        finalists = [trials[0], *best[:FINALISTS]]
        scores: dict[int, list[float]] = {one.number: [one.score or 0.0] for one in finalists}
        for more in range(1, SEEDS):
            found = [
                self._score(one.number, one.values, self.recipe.seed + more, None, 1.0) for one in finalists
            ]
            if any(one is None for one in found):
                break
            for one, score in zip(finalists, found, strict=True):
                scores[one.number].append(score or 0.0)
        means = {number: fmean(own) for number, own in scores.items()}
        winner = max(means, key=lambda number: (means[number], -number))
        winner = 0 if means[winner] <= means[0] else winner
        tuned = Tuned(
            self.state.table["monitor"],
            tuple(trials),
            means,
            len(scores[0]),
            winner,
            self.state.table["seconds"],
        )
        self._write(tuned)
        return tuned

    def _write(self, tuned: Tuned) -> None:
        values = next(one.values for one in tuned.trials if one.number == tuned.winner)
        table = changed(_settled(read_toml(self.file), self.file.parent), spaces.changes(values))
        table.pop("tune", None)
        with written_aside(self.folder / "best.toml") as aside:
            aside.write_text("\n".join(toml_lines(table)) + "\n", encoding="utf-8")
        for number in dict.fromkeys((tuned.winner, 0)):  # the test part is read once for each of them
            self._read_test(number)
        with written_aside(self.folder / "report.html") as aside:
            aside.write_text(page(self.recipe.name, tuned), encoding="utf-8")
        with written_aside(self.folder / "tuned.json") as aside:
            aside.write_text(json.dumps(asdict(tuned), indent=1), encoding="utf-8")

    def _read_test(self, number: int) -> None:
        if not (self.run_of(number) / "evaluation.json").exists():
            began = time.monotonic()
            runs.evaluate(self.run_of(number))
            self.state.table["reading"] = time.monotonic() - began
            self._count()

    def run_of(self, number: int) -> Path:
        """The folder of a trial's run by the recipe's own seed."""
        return self.folder / "trials" / f"{number:04}-{self.recipe.seed}"

    def _count(self) -> None:
        moment = time.monotonic()
        self.state.table["seconds"] += moment - self._mark
        self._mark = moment
        self.state.write()

    def _over(self, part: float) -> bool:
        """Whether one more epoch would take more than a part of the time, less what the test takes."""
        gone = self.state.table["seconds"] + time.monotonic() - self._mark
        left = self.seconds - self.state.table.get("reading", 0.0)
        return bool(gone + self._epoch_seconds > min(part * self.seconds, left))


def _monitored(metrics: Mapping[str, float], recipe: Recipe) -> float | None:
    """The metric that chooses the epoch, where it is known by its name."""
    name = recipe.train.monitor or "all"
    if name not in metrics and len(recipe.tasks) == 1:
        name = next((one for one in metrics if one.endswith("/ndcg@10")), name)
    return metrics.get(name)


def _told(trial: Any) -> Trial:  # noqa: ANN401
    state = trial.state.name.lower()
    score = trial.value if state == "complete" else None
    words = {"complete": "trained", "pruned": "stopped early", "fail": trial.user_attrs.get("told", "failed")}
    return Trial(trial.number + 1, trial.user_attrs.get("values", {}), score, words.get(state, state))


def _settled(table: Mapping[str, Any], beside: Path) -> dict[str, Any]:
    """The same with absolute paths, so that it can stand in another folder."""
    found = dict(table)
    for name, value in table.items():
        if isinstance(value, Mapping):
            found[name] = _settled(value, beside)
        elif name == "path" and isinstance(value, str):
            found[name] = str((beside / value).absolute())
    return found


def toml_lines(table: Mapping[str, Any], before: str = "") -> list[str]:
    """A table in TOML: values first, then its tables."""
    lines = [
        f"{_key(name)} = {_value(value)}" for name, value in table.items() if not isinstance(value, Mapping)
    ]
    for name, value in table.items():
        if isinstance(value, Mapping):
            lines += ["", f"[{before}{_key(name)}]", *toml_lines(value, f"{before}{_key(name)}.")]
    return lines


def _key(name: str) -> str:
    return name if name.replace("_", "").replace("-", "").isalnum() and name.isascii() else spaces.toml(name)


def _value(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_key(name)} = {_value(one)}' for name, one in value.items())}}}"
    return spaces.toml(value) if isinstance(value, str | int | float | bool) else str(value)

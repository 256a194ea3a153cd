"""The training loop: batches, losses, balance, update; validation, early stop, checkpoints.

Knows a model by its losses and a validation by its numbers. Stopped at any moment, even by SIGKILL, a run
that is started again in the same folder ends with the same bits as one that was never stopped (on a CPU).
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from intertask.balance import Balance
from intertask.data.seam import Batch, Frozen
from intertask.errors import TrainingError
from intertask.model import Model
from intertask.options.seeds import derive
from intertask.storage.journal import Journal
from intertask.terminal.progress import Bar, Epoch, bar, line, tell
from intertask.train import checkpoint, edges, ending, heads
from intertask.train.checkpoint import Progress
from intertask.train.config import TrainConfig
from intertask.train.courses import followed
from intertask.train.optimiser import learning_rate, warmup_steps
from intertask.train.prefetch import prefetched
from intertask.train.stream import Stream, Turn, together, turns
from intertask.train.update import Update, not_finite

Validate = Callable[[], dict[str, float]]


@dataclass(frozen=True)
class Trained:
    """How training ended.

    Args:
        best_epoch: The epoch whose weights the model now has, counted from 0.
        monitor: The metric that chose it.
        best_metric: Its value on validation.
        epochs: Epochs run.
        seconds: Wall time of this process.
        reason: Why it ended.
        advice: What to change, as far as its course says it.
        own_epochs: Tasks whose heads were set back, and the epoch of each.
    """

    best_epoch: int
    monitor: str
    best_metric: float
    epochs: int
    seconds: float
    reason: str
    advice: tuple[str, ...]
    own_epochs: Mapping[str, int] = field(default_factory=dict)


class Trainer:
    """One run in one folder.

    Args:
        streams: Their models are trained in place, and end with the best epoch's weights.
        balance: Makes one update of the losses.
        validate: The validation metrics of the models as they are, by name.
        judge: How well a model answers the calibration targets of a task, by which edges between tasks are
            closed.
        monitor: Which metric chooses the epoch; higher is better.
        config: Options.
        seed: Of the run.
        run: A digest of recipe and data, so that a folder is never resumed with others.
        folder: For the journal and the checkpoints.
        examine: Metrics of a model while nothing but its heads changes; if left out no head is set back.
    """

    def __init__(
        self,
        streams: Sequence[Stream],
        balance: Balance,
        validate: Validate,
        judge: edges.Judge,
        monitor: str,
        config: TrainConfig,
        seed: int,
        run: str,
        folder: Path,
        examine: Callable[[Model], Frozen] | None = None,
    ) -> None:
        self.streams, self.balance = streams, balance
        # What streams share is one weight here, by the name that it has in the first.
        self.model: nn.Module = (
            streams[0].model
            if len(streams) == 1
            else nn.ModuleDict({stream.name: stream.model for stream in streams})
        )
        self.device = streams[0].model.device
        self.validate, self.judge, self.monitor = validate, judge, monitor
        self.config, self.seed = config, seed
        self.folder, self.examine = folder, examine
        self.update = Update(streams, self.model, balance, config, seed)
        self.state = Progress(run)
        self.losses: dict[str, list[float]] = {}  # of the epoch's steps
        self.metric = math.nan  # of its validation
        self.metrics: dict[str, float] = {}
        self.saved = 0  # the step of the newest checkpoint
        self.best: dict[str, Tensor] = checkpoint.weights(self.model)
        self.heads: dict[str, Tensor] = {}  # of each task's own best epoch
        self.own_epochs: dict[str, int] = {}  # of heads that were set back at the end
        self.num_batches = len(self._turns(0))
        self.warmup = warmup_steps(config, config.epochs * self.num_batches)

    def _turns(self, epoch: int) -> list[Turn]:
        if self.config.step == "together":
            return together(self.streams, self.seed, epoch)
        return turns(self.streams, self.config.stream_temperature, self.seed, epoch)

    def run(self) -> Trained:
        """Train from the newest checkpoint, or from the start, to the end.

        Raises:
            TrainingError: A loss, a gradient or the monitored metric is not finite; names task and step.
        """
        began = time.perf_counter()
        found = checkpoint.load(
            self.folder / "checkpoints", self.state.run, self.model, self.update.optimiser, self.balance
        )
        if found is not None:
            self.state, self.best, average, self.heads = found
            self.saved = self.state.step
            if self.update.average is not None:
                self.update.average.weights = {
                    name: weight.to(self.device) for name, weight in average.items()
                }
        journal = Journal(self.folder / "journal.jsonl", None if found is None else self.state.step)
        cuda = [self.device] if self.device.type == "cuda" else []
        try:
            journal.write(
                "start" if found is None else "resume",
                step=self.state.step,
                epoch=self.state.epoch,
                windows=sum(len(stream.feed.lengths) for stream in self.streams),
                weights=sum(w.numel() for w in self.model.parameters()),
            )
            # Dropout and sampled negatives draw from torch's generator, which is given back as it was.
            with (
                torch.random.fork_rng(devices=cuda),
                bar("training", self.config.epochs * self.num_batches) as move,
            ):
                move(self.state.step)
                while not self.state.finished:
                    self._epoch(journal, move)
            checkpoint.set_weights(self.model, self.best)
            self.model.eval()
            self._close_edges(journal, self.state.step + 1)
            told = self._set_heads_back(journal)
        finally:
            journal.close()
        return self._trained(time.perf_counter() - began, told)

    def _trained(self, seconds: float, told: Sequence[str]) -> Trained:
        state = self.state
        assert state.best_metric is not None
        return Trained(
            state.best_epoch,
            self.monitor,
            state.best_metric,
            state.epoch,
            seconds,
            ending.reason(self.config, state.epoch, state.best_epoch, self.monitor),
            (*ending.advice(self.config, state.epoch, state.best_epoch, state.step, self.warmup), *told),
            self.own_epochs,
        )

    def _epoch(self, journal: Journal, move: Bar) -> None:
        began, epoch = time.perf_counter(), self.state.epoch
        self.losses.clear()
        ahead = self._turns(epoch)
        self.num_batches = len(ahead)
        ahead = ahead[self.state.batch :]
        self.model.train()
        for left, turn in enumerate(prefetched(_prepared, ahead, self.config.workers), 1 - len(ahead)):
            note = self._step(turn, journal)
            move(1, f"epoch {epoch}  {note}")
            # The last step of an epoch is saved with its validation, or the journal would hold that twice.
            if left and self.state.step % self.config.checkpoint_steps == 0:
                self._save()
        self._close_epoch(journal)
        seconds = time.perf_counter() - began
        self._report(epoch, seconds)
        # An epoch of a small log takes less time than a checkpoint of it.
        if self.state.finished or self.state.step - self.saved >= self.config.checkpoint_steps // 10:
            self._save()
        means = {name: sum(values) / len(values) for name, values in self.losses.items()}
        best = epoch == self.state.best_epoch
        tell(Epoch(epoch, self.config.epochs, means, self.metrics, best, seconds))

    def _report(self, epoch: int, seconds: float) -> None:
        """Print mean losses, the metric that chooses and the time of this process, if no bar is shown."""
        losses = "  ".join(f"{name} {sum(values) / len(values):.4g}" for name, values in self.losses.items())
        best = "best so far" if epoch == self.state.best_epoch else f"best {self.state.best_metric:.4f}"
        line(
            f"epoch {epoch} of 0 to {self.config.epochs - 1}: loss {losses or 'none'}; {self.monitor} "
            f"{self.metric:.4f}, {best}; {seconds:.1f} s"
        )

    def _step(self, turn: Sequence[tuple[Stream, Batch]], journal: Journal) -> str:
        began, step = time.perf_counter(), self.state.step
        done = (self.state.epoch + self.state.batch / self.num_batches) / self.config.epochs
        rate = learning_rate(self.config, self.warmup, step, done)
        values, total = self.update.step(turn, step, rate, self.state.epoch, journal)
        for name, value in values.items():
            self.losses.setdefault(name, []).append(value)
        self.state = self.state.after(step=step + 1, batch=self.state.batch + 1)
        named = [stream.name for stream, _ in turn if stream.name]
        journal.write(
            "step",
            epoch=self.state.epoch,
            step=step + 1,
            **({"stream": ", ".join(named)} if named else {}),
            losses=values,
            total=total,
            learning_rate=rate,
            tokens=sum(batch.num_tokens for _, batch in turn),
            seconds=round(time.perf_counter() - began, 4),
        )
        return "  ".join(f"{name} {value:.3f}" for name, value in values.items())

    def _close_epoch(self, journal: Journal) -> None:
        began, epoch = time.perf_counter(), self.state.epoch
        self.balance.after_epoch()
        self.model.eval()
        own = nullcontext(checkpoint.weights(self.model))
        with own if self.update.average is None else self.update.average.shown() as kept:
            closed = {}
            if epoch + 1 == self.config.epochs // 2:
                closed = self._close_edges(journal, self.state.step)
            metrics = self.metrics = self.validate()
        for name, switches in closed.items():
            edges.copy_edges(switches, self.model.get_parameter(name), kept[name])
        if self.monitor not in metrics:
            raise TrainingError(
                f"validation {self.monitor!r}",
                "a metric that the validation targets define",
                "none",
                "an AUC needs both answers among them: set [train] monitor to another metric",
            )
        value = self.metric = metrics[self.monitor]
        for name, found in metrics.items():  # a mean over tasks may lack all of them
            if math.isnan(found) and (name == self.monitor or "/" in name):
                raise not_finite(f"validation {name!r}, step {self.state.step}", "metric", found)
        better = self.state.best_metric is None or value > self.state.best_metric
        if better:
            self.best = {name: weight.clone() for name, weight in kept.items()}
            self.state = self.state.after(best_metric=value, best_epoch=epoch)
        self._follow(metrics, epoch, kept, better)
        reason = ending.reason(self.config, epoch + 1, self.state.best_epoch, self.monitor)
        self.state = self.state.after(epoch=epoch + 1, batch=0, finished=bool(reason))
        journal.write(
            "validation",
            epoch=epoch,
            step=self.state.step,
            metrics=metrics,
            best=better,
            seconds=round(time.perf_counter() - began, 3),
        )
        if reason:
            journal.write("stop", step=self.state.step, reason=reason, best_epoch=self.state.best_epoch)

    def _follow(
        self, metrics: Mapping[str, float], epoch: int, kept: Mapping[str, Tensor], best: bool
    ) -> None:
        """Remember how each task fared, and the heads of those that were never better."""
        tasks = {name: task for stream in self.streams for name, task in stream.model.config.tasks.items()}
        courses = followed(self.state.courses, tasks, metrics, epoch, best)
        self.state = self.state.after(courses=courses)
        if self.config.own_epochs:
            owned = heads.own_weights(self.model, [stream.model for stream in self.streams])
            now = (names for task, names in owned.items() if task in courses and courses[task].epoch == epoch)
            self.heads |= {name: kept[name].clone() for names in now for name in names}

    def _close_edges(self, journal: Journal, step: int) -> dict[str, Tensor]:
        """Close the edges that do not help the weights that are shown.

        Args:
            journal: For the verdicts.
            step: Of that line; at the end one after the last, or a run that is started again kept it twice.

        Returns:
            All edges, by name.
        """
        for stream in self.streams:
            if not edges.has_edges(stream.model):
                continue
            verdicts = edges.close_useless(
                stream.model, self.judge, derive(self.seed, "edges", self.state.step)
            )
            journal.write(
                "edges",
                step=step,
                verdicts=[verdict.line() for verdict in verdicts],
                closed=edges.closed(stream.model),
            )
        return edges.switches(self.model)

    def _set_heads_back(self, journal: Journal) -> list[str]:
        """Set heads back that others' epochs have spoilt; returns what is to be said of their tasks."""
        models = [stream.model for stream in self.streams]
        verdicts = heads.set_back(self.model, models, self.examine, self.state.courses, self.heads)
        told = []
        for verdict in verdicts:
            words = verdict.words(self.monitor, self.state.best_epoch) if verdict.worth_a_word else ""
            # After the last step: a run that is started again writes it once more.
            journal.write("head", step=self.state.step + 1, **verdict.line(), words=words)
            told += [words] if words else []
        self.own_epochs = {own.task: own.course.epoch for own in verdicts if own.own_head is not None}
        return told

    def _save(self) -> None:
        self.saved = self.state.step
        average = {} if self.update.average is None else self.update.average.weights
        checkpoint.save(
            self.folder / "checkpoints",
            self.state,
            self.model,
            self.update.optimiser,
            self.balance,
            self.best,
            average,
            self.heads,
        )


def _prepared(turn: Turn) -> list[tuple[Stream, Batch]]:
    return [(stream, stream.batch(rows)) for stream, rows in turn]

"""The training loop: batches, losses, balance, update; validation, early stop, checkpoints.

Knows a model by its losses and a validation by its numbers. Stopped at any moment, even by SIGKILL, a run
that is started again in the same folder ends with the same bits as one that was never stopped (on a CPU).
"""

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from intertask.balance import Balance, task_gradients
from intertask.data.seam import Batch, Frozen
from intertask.errors import TrainingError
from intertask.journal import Journal
from intertask.model import Model
from intertask.progress import Bar, Epoch, bar, line, tell
from intertask.seeds import derive
from intertask.train import checkpoint, conflict, edges, ending, heads
from intertask.train.averaging import Average
from intertask.train.checkpoint import Progress
from intertask.train.config import TrainConfig
from intertask.train.courses import followed
from intertask.train.optimiser import Optimiser, learning_rate, warmup_steps
from intertask.train.prefetch import prefetched
from intertask.train.stream import Stream, Turn, turns

Validate = Callable[[], dict[str, float]]
TOGETHER = ""  # the part of all weights that no detached task has for itself


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
        apart = {
            name: stream.model.task(name) for stream in streams for name in stream.model.config.detached()
        }
        self.optimiser = Optimiser(self.model, config, apart)
        self.parts = _names(self.model, apart)
        self.state = Progress(run)
        self.losses: dict[str, list[float]] = {}  # of the epoch's steps
        self.metric = math.nan  # of its validation
        self.metrics: dict[str, float] = {}
        self.saved = 0  # the step of the newest checkpoint
        self.best: dict[str, Tensor] = checkpoint.weights(self.model)
        self.heads: dict[str, Tensor] = {}  # of each task's own best epoch
        self.own_epochs: dict[str, int] = {}  # of heads that were set back at the end
        self.average = Average(self.model, config.average) if config.average else None
        self.num_batches = len(self._turns(0))
        self.warmup = warmup_steps(config, config.epochs * self.num_batches)

    def _turns(self, epoch: int) -> list[Turn]:
        return turns(self.streams, self.config.stream_temperature, self.seed, epoch)

    def run(self) -> Trained:
        """Train from the newest checkpoint, or from the start, to the end.

        Raises:
            TrainingError: A loss, a gradient or the monitored metric is not finite; names task and step.
        """
        began = time.perf_counter()
        found = checkpoint.load(
            self.folder / "checkpoints", self.state.run, self.model, self.optimiser, self.balance
        )
        if found is not None:
            self.state, self.best, average, self.heads = found
            self.saved = self.state.step
            if self.average is not None:
                self.average.weights = {name: weight.to(self.device) for name, weight in average.items()}
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
            self._close_edges(journal)
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
            note = self._step(*turn, journal)
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

    def _step(self, stream: Stream, batch: Batch, journal: Journal) -> str:
        model = stream.model
        began, step = time.perf_counter(), self.state.step
        torch.manual_seed(derive(self.seed, "step", step))
        done = (self.state.epoch + self.state.batch / self.num_batches) / self.config.epochs
        rate = learning_rate(self.config, self.warmup, step, done)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._low_precision):
            encoded = model.trunk(batch)
            read = encoded.parts
            leaves = [part.detach().requires_grad_() for part in read]  # what all tasks push on
            losses = model.losses(batch, encoded.with_parts(leaves))
        values = self._checked(losses)
        total = None
        apart = {name: losses.pop(name) for name in self.optimiser.apart if name in losses}
        self.optimiser.zero_grad()
        if losses:
            total = self._gradients(model, losses, read, leaves, journal)
        for name, loss in apart.items():
            torch.autograd.backward(loss)
            self._clip([name], name)
        if losses or apart:
            if self.average is not None:
                self.average.before()
            self.optimiser.step(rate)
            if self.average is not None:
                self.average.update(step, self._idle({*apart, *([TOGETHER] if losses else [])}))
        if losses and self.balance.looks_again:
            again = self._same_losses(model, batch, step)
            self.balance.after_step({name: again[name] for name in losses})
        self.state = self.state.after(step=step + 1, batch=self.state.batch + 1)
        journal.write(
            "step",
            epoch=self.state.epoch,
            step=step + 1,
            **({"stream": stream.name} if stream.name else {}),
            losses=values,
            total=total,
            learning_rate=rate,
            tokens=batch.num_tokens,
            seconds=round(time.perf_counter() - began, 4),
        )
        return "  ".join(f"{name} {value:.3f}" for name, value in values.items())

    def _idle(self, moved: set[str]) -> set[str]:
        """The weights that a step left alone, by the parts that had a loss in it."""
        return {name for part, names in self.parts.items() if part not in moved for name in names}

    def _checked(self, losses: Mapping[str, Tensor]) -> dict[str, float]:
        """The values of a step's losses, which are kept for the mean of the epoch.

        Raises:
            TrainingError: One is not finite.
        """
        values = {name: float(loss.detach()) for name, loss in losses.items()}
        for name, value in values.items():
            if not math.isfinite(value):
                raise _not_finite(f"task {name!r}, step {self.state.step}", "loss", value)
            self.losses.setdefault(name, []).append(value)
        return values

    def _gradients(
        self,
        model: Model,
        losses: Mapping[str, Tensor],
        read: Sequence[Tensor],
        leaves: Sequence[Tensor],
        journal: Journal,
    ) -> float:
        """Gradients of what is trained together, no longer than they may be.

        Args:
            model: Whose losses they are.
            losses: Of the tasks that are not detached, computed from `leaves`.
            read: What the trunk gives, with the graph that led to it.
            leaves: The same without it.
            journal: For the cosines between the tasks.

        Returns:
            The weighted sum of the losses.

        Raises:
            TrainingError: A gradient is not finite.
        """
        step, below = self.state.step, conflict.at_weights(model, read[0])
        if self.config.gradient_steps and step % self.config.gradient_steps == 0 and len(losses) > 1:
            cosines = conflict.cosines(list(losses), below(task_gradients(losses, leaves[0])))
            if cosines is not None:
                journal.write("gradients", epoch=self.state.epoch, step=step + 1, **cosines)
            self.optimiser.zero_grad()
        for leaf in leaves:
            leaf.grad = None
        total = float(self.balance.backward(losses, leaves[0], below))
        pushed = [
            (part, leaf.grad)
            for part, leaf in zip(read, leaves, strict=True)
            if leaf.grad is not None and part.requires_grad  # a trunk may have nothing to learn
        ]
        if pushed:
            torch.autograd.backward([part for part, _ in pushed], [gradient for _, gradient in pushed])
        self._clip(losses)
        return total

    def _clip(self, tasks: Iterable[str], part: str | None = None) -> None:
        """Scale the gradients of these tasks down where they are too long.

        Raises:
            TrainingError: They are not finite.
        """
        norm = self.optimiser.clip(part)
        if not math.isfinite(norm):  # before it spoils the weights, and the next checkpoint with them
            raise _not_finite(
                f"tasks {', '.join(map(repr, tasks))}, step {self.state.step}", "gradient", norm
            )

    def _same_losses(self, model: Model, batch: Batch, step: int) -> dict[str, Tensor]:
        """The losses of a batch as they are now, with the dropout and the negatives that the step drew."""
        torch.manual_seed(derive(self.seed, "step", step))
        with (
            torch.no_grad(),
            torch.autocast(self.device.type, torch.bfloat16, enabled=self._low_precision),
        ):
            return model.losses(batch)

    @property
    def _low_precision(self) -> bool:
        if self.config.precision == "auto":
            return self.device.type == "cuda"
        return self.config.precision == "bfloat16"

    def _close_epoch(self, journal: Journal) -> None:
        began, epoch = time.perf_counter(), self.state.epoch
        self.balance.after_epoch()
        self.model.eval()
        own = nullcontext(checkpoint.weights(self.model))
        with own if self.average is None else self.average.shown() as kept:
            closed = {}
            if epoch + 1 == self.config.epochs // 2:
                closed = self._close_edges(journal)
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
                raise _not_finite(f"validation {name!r}, step {self.state.step}", "metric", found)
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

    def _close_edges(self, journal: Journal) -> dict[str, Tensor]:
        """Close the edges that do not help the weights that are shown; returns all edges by name."""
        for stream in self.streams:
            if not edges.has_edges(stream.model):
                continue
            verdicts = edges.close_useless(
                stream.model, self.judge, derive(self.seed, "edges", self.state.step)
            )
            journal.write(
                "edges",
                step=self.state.step,
                verdicts=[verdict.line() for verdict in verdicts],
                closed=edges.closed(stream.model),
            )
        return edges.switches(self.model)

    def _set_heads_back(self, journal: Journal) -> list[str]:
        """Set heads back that others' epochs have spoilt; returns what is to be said of their tasks."""
        models = [stream.model for stream in self.streams]
        verdicts = heads.set_back(self.model, models, self.examine, self.state.courses, self.heads)
        told = [verdict.words(self.monitor, self.state.best_epoch) for verdict in verdicts]
        for verdict, words in zip(verdicts, told, strict=True):
            # After the last step: a run that is started again writes it once more.
            journal.write("head", step=self.state.step + 1, **verdict.line(), words=words)
        self.own_epochs = {own.task: own.course.epoch for own in verdicts if own.own_head is not None}
        return told

    def _save(self) -> None:
        self.saved = self.state.step
        average = {} if self.average is None else self.average.weights
        checkpoint.save(
            self.folder / "checkpoints",
            self.state,
            self.model,
            self.optimiser,
            self.balance,
            self.best,
            average,
            self.heads,
        )


def _names(model: nn.Module, apart: Mapping[str, nn.Module]) -> dict[str, set[str]]:
    """The weights of each detached task by name, and those of all other parts together."""
    owners = {id(weight): task for task, part in apart.items() for weight in part.parameters()}
    found: dict[str, set[str]] = {task: set() for task in (TOGETHER, *apart)}
    for name, weight in model.named_parameters():
        found[owners.get(id(weight), TOGETHER)].add(name)
    return found


def _prepared(turn: Turn) -> tuple[Stream, Batch]:
    stream, rows = turn
    return stream, stream.batch(rows)


def _not_finite(where: str, what: str, value: float) -> TrainingError:
    return TrainingError(
        where,
        f"a finite {what}",
        str(value),
        "lower the learning rate, or look for absurd labels; the last checkpoint is kept",
    )

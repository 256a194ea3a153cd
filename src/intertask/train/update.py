"""One update: the losses of the batches whose turn it is, what they push on, a step of the weights."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from intertask.balance import Balance, task_gradients
from intertask.data.seam import Batch
from intertask.errors import TrainingError
from intertask.items.content import in_step
from intertask.model import Model
from intertask.options.seeds import derive
from intertask.storage.journal import Journal
from intertask.train import conflict
from intertask.train.averaging import Average
from intertask.train.config import TrainConfig
from intertask.train.optimiser import Optimiser
from intertask.train.stream import Stream

TOGETHER = ""  # the part of all weights that no detached task has for itself


@dataclass(frozen=True)
class Pushes:
    """What one stream's batch has to say, before anything is passed backward.

    Args:
        model: Of the stream.
        read: What the trunk gives, with the graph that led to it.
        leaves: The same without it: what all tasks push on.
        losses: Of the tasks that are not detached, computed from `leaves`.
        apart: Of the detached ones.
        values: Of all.
    """

    model: Model
    read: Sequence[Tensor]
    leaves: Sequence[Tensor]
    losses: Mapping[str, Tensor]
    apart: Mapping[str, Tensor]
    values: Mapping[str, float]


class Update:
    """What moves the weights of all streams.

    Args:
        streams: Whose models are trained.
        model: All of them, what they share once.
        balance: Makes one update of the losses.
        config: Options.
        seed: Of the run.
    """

    def __init__(
        self, streams: Sequence[Stream], model: nn.Module, balance: Balance, config: TrainConfig, seed: int
    ) -> None:
        apart = {
            name: stream.model.task(name) for stream in streams for name in stream.model.config.detached()
        }
        self.balance, self.config, self.seed = balance, config, seed
        self.device = streams[0].model.device
        self.optimiser = Optimiser(model, config, apart)
        self.average = Average(model, config.average) if config.average else None
        self.parts = _names(model, apart)
        self.vectors = in_step(model)

    def step(
        self, turn: Sequence[tuple[Stream, Batch]], step: int, rate: float, epoch: int, journal: Journal
    ) -> tuple[dict[str, float], float | None]:
        """Learn from the batches of one turn.

        Args:
            turn: A batch of each stream that has it.
            step: The number of the step, counted from 0.
            rate: The learning rate.
            epoch: Of the step, for the journal.
            journal: For the cosines between the tasks.

        Returns:
            The loss of each task, and the weighted sum of those that are not detached; None without any.

        Raises:
            TrainingError: A loss or a gradient is not finite; names task and step.
        """
        torch.manual_seed(derive(self.seed, "step", step))
        for vectors in self.vectors:
            vectors.begin()
        pushes = [self._pushes(stream, batch, step) for stream, batch in turn]
        losses = {name: loss for own in pushes for name, loss in own.losses.items()}
        apart = {name: loss for own in pushes for name, loss in own.apart.items()}
        if self.config.gradient_steps and step % self.config.gradient_steps == 0:
            self._measure_conflicts(pushes, step, epoch, journal)
        self.optimiser.zero_grad()
        total = self._pass_back(pushes, losses) if losses else None
        for vectors in self.vectors:
            vectors.collect()
        if losses:
            self._clip(losses, step)
        for name, loss in apart.items():
            torch.autograd.backward(loss)
            self._clip([name], step, name)
        if losses or apart:
            self._move(rate, step, {*apart, *([TOGETHER] if losses else [])})
        if losses and self.balance.looks_again:
            again = self._again(turn, step)
            self.balance.after_step({name: again[name] for name in losses})
        return {name: value for own in pushes for name, value in own.values.items()}, total

    def _pushes(self, stream: Stream, batch: Batch, step: int) -> Pushes:
        model = stream.model
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._low_precision):
            encoded = model.trunk(batch)
            leaves = [part.detach().requires_grad_() for part in encoded.parts]
            losses = model.losses(batch, encoded.with_parts(leaves))
        values = {name: float(loss.detach()) for name, loss in losses.items()}
        for name, value in values.items():
            if not math.isfinite(value):
                raise not_finite(f"task {name!r}, step {step}", "loss", value)
        apart = {name: losses.pop(name) for name in self.optimiser.apart if name in losses}
        if self.config.step == "together" and stream.weight != 1:
            losses = {name: stream.weight * loss for name, loss in losses.items()}
        return Pushes(model, encoded.parts, leaves, losses, apart, values)

    def _measure_conflicts(self, pushes: Sequence[Pushes], step: int, epoch: int, journal: Journal) -> None:
        """Write the cosines between the tasks of each stream, whose graphs are kept."""
        for own in pushes:
            if len(own.losses) > 1:
                below = conflict.at_weights(own.model, own.read[0])
                found = conflict.cosines(list(own.losses), below(task_gradients(own.losses, own.leaves[0])))
                if found is not None:
                    journal.write("gradients", epoch=epoch, step=step + 1, **found)
                for leaf in own.leaves:
                    leaf.grad = None

    def _pass_back(self, pushes: Sequence[Pushes], losses: Mapping[str, Tensor]) -> float:
        """Gradients of what is trained together; returns the weighted sum of the losses.

        A balance that looks at gradients sees those at one trunk, and has batches of one stream.
        """
        first = next(own for own in pushes if own.losses)
        below = conflict.at_weights(first.model, first.read[0])
        total = float(self.balance.backward(losses, first.leaves[0], below))
        pushed = [
            (part, leaf.grad)
            for own in pushes
            for part, leaf in zip(own.read, own.leaves, strict=True)
            if leaf.grad is not None and part.requires_grad  # a trunk may have nothing to learn
        ]
        if pushed:
            torch.autograd.backward([part for part, _ in pushed], [gradient for _, gradient in pushed])
        return total

    def _clip(self, tasks: Iterable[str], step: int, part: str | None = None) -> None:
        """Scale the gradients of these tasks down where they are too long.

        Raises:
            TrainingError: They are not finite.
        """
        norm = self.optimiser.clip(part)
        if not math.isfinite(norm):  # before it spoils the weights, and the next checkpoint with them
            raise not_finite(f"tasks {', '.join(map(repr, tasks))}, step {step}", "gradient", norm)

    def _move(self, rate: float, step: int, moved: set[str]) -> None:
        """A step of the optimiser; the average leaves alone what had no loss."""
        if self.average is not None:
            self.average.before()
        self.optimiser.step(rate)
        if self.average is not None:
            idle = {name for part, names in self.parts.items() if part not in moved for name in names}
            self.average.update(step, idle)

    def _again(self, turn: Sequence[tuple[Stream, Batch]], step: int) -> dict[str, Tensor]:
        """The losses of the batches as they are now, with the dropout and the negatives of the step."""
        torch.manual_seed(derive(self.seed, "step", step))
        with torch.no_grad():
            for vectors in self.vectors:
                vectors.begin()
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self._low_precision):
                found = {
                    name: loss for stream, batch in turn for name, loss in stream.model.losses(batch).items()
                }
        for vectors in self.vectors:
            vectors.collect()
        return found

    @property
    def _low_precision(self) -> bool:
        if self.config.precision == "auto":
            return self.device.type == "cuda"
        return self.config.precision == "bfloat16"


def _names(model: nn.Module, apart: Mapping[str, nn.Module]) -> dict[str, set[str]]:
    """The weights of each detached task by name, and those of all other parts together."""
    owners = {id(weight): task for task, part in apart.items() for weight in part.parameters()}
    found: dict[str, set[str]] = {task: set() for task in (TOGETHER, *apart)}
    for name, weight in model.named_parameters():
        found[owners.get(id(weight), TOGETHER)].add(name)
    return found


def not_finite(where: str, what: str, value: float) -> TrainingError:
    """An error that names the task, the step and what to do."""
    return TrainingError(
        where,
        f"a finite {what}",
        str(value),
        "lower the learning rate, or look for absurd labels; the last checkpoint is kept",
    )

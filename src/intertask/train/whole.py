"""Training without validation: as long as a plan says, which an earlier training with one has found."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from intertask.balance import Balance
from intertask.storage.journal import Journal
from intertask.terminal.progress import line
from intertask.train import checkpoint, heads
from intertask.train.config import TrainConfig
from intertask.train.loop import Trainer
from intertask.train.stream import Stream


@dataclass(frozen=True)
class Plan:
    """How long to train.

    Args:
        epochs: As many; warm-up and schedule are those of the configuration's epochs all the same.
        own_epochs: Tasks whose heads stop earlier, and the epoch after which each does, counted from 0.
    """

    epochs: int
    own_epochs: Mapping[str, int]


class WholeTrainer(Trainer):
    """One run in one folder, on data of which nothing is held back.

    Args:
        streams: Their models are trained in place, and end with the last epoch's weights.
        balance: Makes one update of the losses.
        plan: How long to train.
        config: Options.
        seed: Of the run.
        run: A digest of recipe, data and plan, so that a folder is never resumed with others.
        folder: For the journal and the checkpoints.
    """

    def __init__(
        self,
        streams: Sequence[Stream],
        balance: Balance,
        plan: Plan,
        config: TrainConfig,
        seed: int,
        run: str,
        folder: Path,
    ) -> None:
        super().__init__(streams, balance, dict, lambda model, task: None, "", config, seed, run, folder)
        self.plan = plan

    def _close_epoch(self, journal: Journal) -> None:
        epoch = self.state.epoch
        finished = epoch + 1 == self.plan.epochs
        self.balance.after_epoch()
        self.model.eval()
        owned = heads.own_weights(self.model, [stream.model for stream in self.streams])
        with self._shown() as kept:
            stopping = [task for task, last in self.plan.own_epochs.items() if last == epoch]
            self.heads |= {name: kept[name].clone() for task in stopping for name in owned[task]}
            if finished:
                self.best = {name: weight.clone() for name, weight in kept.items()}
        self.state = self.state.after(
            epoch=epoch + 1, batch=0, finished=finished, best_metric=0.0, best_epoch=epoch
        )
        if finished:
            reason = f"all {self.plan.epochs} epochs done"
            journal.write("stop", step=self.state.step, reason=reason, best_epoch=epoch)

    @contextmanager
    def _shown(self) -> Iterator[dict[str, Tensor]]:
        if self.update.average is None:
            yield checkpoint.weights(self.model)
        else:
            with self.update.average.shown() as kept:
                yield kept

    def _set_heads_back(self, journal: Journal) -> list[str]:
        heads.fill(self.model, self.heads)
        return []

    def _report(self, epoch: int, seconds: float) -> None:
        losses = "  ".join(f"{name} {sum(values) / len(values):.4g}" for name, values in self.losses.items())
        line(f"all events, epoch {epoch} of 0 to {self.plan.epochs - 1}: loss {losses}; {seconds:.1f} s")

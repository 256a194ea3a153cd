"""Everything that a run needs to go on exactly where it was: weights, optimiser, balance, counters.

Weights are parameters and persistent buffers. Random numbers need not be kept: they are drawn from seeds
named by epoch and step. A checkpoint is a folder of safetensors and JSON named by its step, complete or
absent; the newest one counts.
"""

import json
import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from intertask.balance import Balance
from intertask.errors import ArtefactError, RecipeError
from intertask.files import Contents, discard, written_aside
from intertask.train.optimiser import Optimiser

CHECKPOINT = Contents(
    "a checkpoint",
    (),  # one that lacks a file is still a checkpoint, and refused by name
    (
        "progress.json",
        *(f"{name}.safetensors" for name in ("model", "best", "average", "optimiser", "balance")),
    ),
)
_NAME = re.compile(r"checkpoint-[0-9]{9,}")


@dataclass(frozen=True)
class Progress:
    """Where a run stands.

    Args:
        run: A digest of recipe and data; a checkpoint of another run is refused.
        epoch: The epoch that is under way.
        batch: Batches of it that are done.
        step: Steps done in all.
        best_metric: Best validation metric so far; None before the first.
        best_epoch: Its epoch.
        finished: Whether training has ended.
    """

    run: str
    epoch: int = 0
    batch: int = 0
    step: int = 0
    best_metric: float | None = None
    best_epoch: int = -1
    finished: bool = False

    def after(self, **changes: object) -> "Progress":
        """The same with some fields changed."""
        return replace(self, **changes)  # type: ignore[arg-type]


def weights(model: nn.Module) -> dict[str, Tensor]:
    """Weights and persistent buffers by name, each once: tables that parts share have one name."""
    return {name: value.detach() for name, value in (*model.named_parameters(), *_buffers(model))}


def set_weights(model: nn.Module, values: dict[str, Tensor]) -> None:
    """Copy weights and buffers into a model of the same names and shapes."""
    with torch.no_grad():
        for name, value in (*model.named_parameters(), *_buffers(model)):
            value.copy_(values[name])


def buffer_names(model: nn.Module) -> list[str]:
    """What a model keeps beside its weights, such as running means; not what it computes anew when built."""
    kept = model.state_dict().keys()
    return [name for name, _ in model.named_buffers() if name in kept]


def _buffers(model: nn.Module) -> list[tuple[str, Tensor]]:
    return [(name, model.get_buffer(name)) for name in buffer_names(model)]


def save(
    folder: Path,
    progress: Progress,
    model: nn.Module,
    optimiser: Optimiser,
    balance: Balance,
    best: dict[str, Tensor],
    average: dict[str, Tensor],
) -> None:
    """Write the checkpoint of one step, then delete older ones."""
    with written_aside(folder / f"checkpoint-{progress.step:09d}", CHECKPOINT.refuse) as aside:
        aside.mkdir()
        save_file(_contiguous(weights(model)), aside / "model.safetensors")
        save_file(_contiguous(best), aside / "best.safetensors")
        save_file(_contiguous(average), aside / "average.safetensors")
        save_file(_contiguous(_optimiser_tensors(model, optimiser)), aside / "optimiser.safetensors")
        save_file(_contiguous(balance.state()), aside / "balance.safetensors")
        (aside / "progress.json").write_text(json.dumps(asdict(progress)), encoding="utf-8")
    _delete_older(folder)


def found(folder: Path) -> list[Path]:
    """The checkpoints in a folder, the newest last; whatever else somebody keeps there is none."""
    if not folder.is_dir():
        return []
    own = [
        place
        for place in folder.iterdir()
        if _NAME.fullmatch(place.name) and not CHECKPOINT.foreign(place) and any(place.iterdir())
    ]
    return sorted(own, key=lambda place: int(place.name.rpartition("-")[2]))


def _delete_older(folder: Path) -> None:
    for place in found(folder)[:-1]:
        discard(place)


def load(
    folder: Path, run: str, model: nn.Module, optimiser: Optimiser, balance: Balance
) -> tuple[Progress, dict[str, Tensor], dict[str, Tensor]] | None:
    """Put the newest checkpoint into model, optimiser and balance; None where there is none.

    Returns:
        Where the run stood, its best weights, and their average, empty where it keeps none.

    Raises:
        RecipeError: The checkpoint belongs to another recipe or other data.
        ArtefactError: It cannot be read.
    """
    progress = refuse_other_run(folder, run)
    if progress is None:
        return None
    _delete_older(folder)  # as of a run that was killed before it came to that
    newest = found(folder)[-1]
    try:
        set_weights(model, load_file(newest / "model.safetensors"))
        _set_optimiser(model, optimiser, load_file(newest / "optimiser.safetensors"))
        balance.set_state(load_file(newest / "balance.safetensors"))
        best, average = (load_file(newest / f"{name}.safetensors") for name in ("best", "average"))
        return progress, best, average
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise ArtefactError(
            str(newest), "a complete checkpoint", str(error), "delete it to start the run anew"
        ) from None


def refuse_other_run(folder: Path, run: str) -> Progress | None:
    """Where the newest checkpoint stands; None where there is none.

    Raises:
        RecipeError: It belongs to another recipe or other data.
        ArtefactError: It cannot be read.
    """
    there = found(folder)
    if not there:
        return None
    try:
        progress = Progress(**json.loads((there[-1] / "progress.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise ArtefactError(
            str(there[-1]), "a complete checkpoint", str(error), "delete it to start the run anew"
        ) from None
    if progress.run != run:
        raise RecipeError(
            str(folder), "a checkpoint of this recipe and data", "one of another run",
            "choose another folder for the run, or delete this one",
        )  # fmt: skip
    return progress


def _optimiser_tensors(model: nn.Module, optimiser: Optimiser) -> dict[str, Tensor]:
    return {
        f"{name}/{key}": value
        for name, weight in model.named_parameters()
        for key, value in optimiser.state(weight).items()
    }


def _set_optimiser(model: nn.Module, optimiser: Optimiser, tensors: dict[str, Tensor]) -> None:
    for name, weight in model.named_parameters():
        state = {
            key.rpartition("/")[2]: value for key, value in tensors.items() if key.rpartition("/")[0] == name
        }
        if state:
            optimiser.set_state(weight, state)


def _contiguous(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.contiguous() for name, tensor in tensors.items()}

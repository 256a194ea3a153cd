"""Everything that a run needs to go on exactly where it was: weights, optimiser, balance, counters.

Weights are parameters and persistent buffers. Random numbers need not be kept: they are drawn from seeds
named by epoch and step. A checkpoint is a folder of safetensors and JSON named by its step, complete or
absent; the newest one counts.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import torch
from pydantic import TypeAdapter, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from intertask.balance import Balance
from intertask.errors import ArtefactError, IntertaskError, RecipeError
from intertask.storage import tensors
from intertask.storage.files import Contents, discard, written_aside
from intertask.storage.tensors import Form
from intertask.storage.untrusted import read_json
from intertask.train.courses import Course
from intertask.train.optimiser import Optimiser

CHECKPOINT = Contents(
    "a checkpoint",
    (),  # one that lacks a file is still a checkpoint, and refused by name
    (
        "progress.json",
        *(f"{name}.safetensors" for name in ("model", "best", "average", "heads", "optimiser", "balance")),
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
        courses: How each task's own metric fared.
    """

    run: str
    epoch: int = 0
    batch: int = 0
    step: int = 0
    best_metric: float | None = None
    best_epoch: int = -1
    finished: bool = False
    courses: dict[str, Course] = field(default_factory=dict)

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
    heads: dict[str, Tensor],
) -> None:
    """Write the checkpoint of one step, then delete older ones."""
    with written_aside(folder / f"checkpoint-{progress.step:09d}", CHECKPOINT.refuse) as aside:
        aside.mkdir()
        save_file(_contiguous(weights(model)), aside / "model.safetensors")
        save_file(_contiguous(best), aside / "best.safetensors")
        save_file(_contiguous(average), aside / "average.safetensors")
        save_file(_contiguous(heads), aside / "heads.safetensors")
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
) -> tuple[Progress, dict[str, Tensor], dict[str, Tensor], dict[str, Tensor]] | None:
    """Put the newest checkpoint into model, optimiser and balance; None where there is none.

    Returns:
        Where the run stood; its best weights; the average of its weights, empty where it keeps none; the
        weights of heads after their own best epochs.

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
        kept = {name: _form(weight) for name, weight in weights(model).items()}
        written = _read(newest / "model.safetensors", kept)
        best, average, moments = (
            _read(newest / f"{name}.safetensors") for name in ("best", "average", "optimiser")
        )
        # Older versions wrote no heads, and knew of no courses.
        file = newest / "heads.safetensors"
        heads = _read(file) if progress.courses or file.exists() else {}
        for name, value in moments.items():
            form = kept.get(name.rpartition("/")[0])
            if form is None or tuple(value.shape) not in ((), (1,), form.shape):
                raise ValueError(f"{name} {list(value.shape)} in optimiser.safetensors")
        for name, value in (*best.items(), *average.items(), *heads.items()):  # all are empty at first
            if kept.get(name) != _form(value):
                raise ValueError(f"{name} {_form(value)} among the best or averaged weights, or the heads")
        tensors.forms(newest / "balance.safetensors")
        balance.set_state(load_file(newest / "balance.safetensors"))  # NaN may stand for a loss not yet seen
        set_weights(model, written)
        _set_optimiser(model, optimiser, moments)
        return progress, best, average, heads
    except IntertaskError as error:
        raise ArtefactError(
            error.where, error.expected, error.found, "delete the checkpoint to start the run anew"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        told = str(error).partition("\n")[0]
        raise ArtefactError(
            str(newest), "a complete checkpoint", told, "delete it to start the run anew"
        ) from None


def _form(value: Tensor) -> Form:
    return Form(str(value.dtype).removeprefix("torch."), tuple(value.shape))


def _read(file: Path, expected: Mapping[str, Form] | None = None) -> dict[str, Tensor]:
    """The tensors of a file, of the expected names, types and shapes, their numbers finite."""
    there = tensors.forms(file)
    if expected is not None:
        tensors.refuse_others(file, there, expected, "the weights of the recipe")
    return {name: torch.from_numpy(array) for name, array in tensors.read(file).items()}


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
        progress = _progress(read_json(there[-1] / "progress.json", 1 << 16))
    except (IntertaskError, ValidationError) as error:
        told = error.found if isinstance(error, IntertaskError) else error.errors()[0]["msg"]
        raise ArtefactError(
            str(there[-1]), "a complete checkpoint", told, "delete it to start the run anew"
        ) from None
    if progress.run != run:
        raise RecipeError(
            str(folder),
            "a checkpoint of this recipe and data",
            "one of another run",
            "choose another folder for the run, or delete this one",
        )
    return progress


def _progress(written: object) -> Progress:
    if not isinstance(written, dict):
        raise ArtefactError("progress.json", "a table", type(written).__name__)
    if foreign := sorted(written.keys() - Progress.__dataclass_fields__.keys()):
        raise ArtefactError("progress.json", "what a checkpoint tells", repr(foreign[0]))
    return TypeAdapter(Progress).validate_json(json.dumps(written), strict=True)


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

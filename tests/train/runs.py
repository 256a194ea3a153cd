"""A small run that the tests of training stop, kill and resume. `python -m tests.train.runs` is killed."""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import torch

from intertask.fitting import experiment
from intertask.fitting.fitted import FittedLog
from intertask.recipe import Recipe
from intertask.train import checkpoint
from intertask.train.loop import Trainer
from tests import worlds

# Dropout and drawn negatives: an exact resume has to draw the same numbers again.
SECTIONS: dict[str, Any] = {
    "seed": 3,
    "width": 8,
    "max_length": 5,
    "encoder": {"kind": "gru", "dropout": 0.3},
    "tasks": {
        "next": {"kind": "next_item", "loss": {"kind": "shared_pool", "num_negatives": 4}},
        "high": {"kind": "response", "label": "rating", "at_least": 3},
    },
    "train": {
        "epochs": 3,
        "batch_tokens": 20,
        "checkpoint_steps": 4,
        "learning_rate": 0.01,
        "average": 0.9,
        "device": "cpu",
    },
}


def recipe(**changes: Any) -> Recipe:
    """The recipe, with some sections changed; of [train], some keys."""
    train = SECTIONS["train"] | changes.pop("train", {})
    return Recipe.model_validate(SECTIONS | {"train": train} | changes)


def fit(folder: Path, **changes: Any) -> FittedLog:
    """Train, or go on training."""
    return experiment.fit(recipe(**changes), worlds.corpus(worlds.varied(num_users=60, longest=8)), folder)


def weights(fitted: FittedLog) -> dict[str, torch.Tensor]:
    """The weights that training ended with."""
    return checkpoint.weights(fitted.model)


def journal(folder: Path, event: str) -> list[dict[str, Any]]:
    """The journal's lines of one event, without what the clock says."""
    lines = map(json.loads, (folder / "journal.jsonl").read_text(encoding="utf-8").splitlines())
    return [
        {key: value for key, value in line.items() if key != "seconds"}
        for line in lines
        if line["event"] == event
    ]


def killed_in_step(step: int) -> None:
    """Arrange for this process to be killed within a step."""
    usual = Trainer._step

    def kill(self: Trainer, *arguments: Any) -> str:
        note = usual(self, *arguments)
        if self.state.step == step:
            os.kill(os.getpid(), signal.SIGKILL)
        return note

    Trainer._step = kill  # type: ignore[method-assign]


def killed_in_checkpoint(number: int) -> None:
    """Arrange for this process to be killed with a checkpoint half written."""
    usual, written = checkpoint.save_file, []

    def kill(tensors: dict[str, torch.Tensor], file: Path) -> None:
        usual(tensors, file)
        written.append(file)
        if len(written) == 6 * number - 1:  # weights, best ones, their average, heads, optimiser, balance
            os.kill(os.getpid(), signal.SIGKILL)

    checkpoint.save_file = kill


if __name__ == "__main__":
    {"step": killed_in_step, "checkpoint": killed_in_checkpoint}[sys.argv[2]](int(sys.argv[3]))
    fit(Path(sys.argv[1]))

"""A pretrained encoder of pictures in the form of Hugging Face, such as ViT, ResNet or ConvNeXt.

Weights come from safetensors alone, and no code of a checkpoint is ever run, as of encoders of texts.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from intertask.errors import IntertaskError, RecipeError
from intertask.nn.layered import Layered
from intertask.storage.files import sha256
from intertask.storage.untrusted import read_json
from intertask.texts import pretrained
from intertask.texts.configs import whole_config
from intertask.texts.pretrained import Checkpoint

BYTES = 1 << 20  # of preprocessor_config.json
SHADES = 255.0


@dataclass(frozen=True)
class Pictured(Checkpoint):
    """A folder that holds an encoder of pictures."""

    @cached_property
    def digest(self) -> str:
        """SHA-256 over weights and config."""
        total = hashlib.sha256(json.dumps(self.config, sort_keys=True).encode())
        for file in sorted(self.folder.glob("*.safetensors")):
            total.update(sha256(file).encode())
        return total.hexdigest()

    @property
    def channels(self) -> int:
        """Of a picture."""
        return int(whole_config(self.config).num_channels)

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width of the pictures that it was trained on, where its config says so."""
        told = whole_config(self.config).to_dict().get("image_size")
        sides = told if isinstance(told, list | tuple) else [told, told]
        if len(sides) != 2 or not all(isinstance(side, int) for side in sides):
            return None
        return int(sides[0]), int(sides[1])

    @cached_property
    def spread(self) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
        """Mean and deviation of each channel, 0 to 255, that it was trained with; None where nobody says.

        Raises:
            RecipeError: What is said cannot be.
        """
        file = self.folder / "preprocessor_config.json"
        if not file.exists():
            return None
        try:
            told = read_json(file, BYTES)
        except IntertaskError as error:
            raise self.wrong(f"preprocessor_config.json: {error.found}") from None
        if not isinstance(told, dict) or not {"image_mean", "image_std"} <= told.keys():
            return None
        means, deviations = told["image_mean"], told["image_std"]
        for name, numbers, least in (("image_mean", means, 0.0), ("image_std", deviations, 1 / SHADES)):
            if not isinstance(numbers, list) or len(numbers) != self.channels:
                raise self.wrong(f"{name} in preprocessor_config.json without {self.channels} numbers")
            if not all(isinstance(own, int | float) and least <= own <= 1 for own in numbers):
                raise self.wrong(f"{name} in preprocessor_config.json beyond {least:.3g} to 1")
        return tuple(SHADES * own for own in means), tuple(SHADES * own for own in deviations)


def find(name: str | Path) -> Pictured:
    """The encoder of pictures of a folder, or of a name on the hub, as of texts.

    Raises:
        RecipeError: There is none, or it reads something else.
    """
    found = pretrained.folder_of(name)
    own = Pictured(found.folder, found.name)
    if not _reads_pictures(whole_config(own.config)):
        raise own.wrong(f"model_type {own.config['model_type']!r}, which reads no pictures")
    if own.channels not in (1, 3):
        raise own.wrong(f"num_channels = {own.channels}, and pictures have 1 or 3")
    return own


def _reads_pictures(config: object) -> bool:
    from transformers import MODEL_MAPPING

    kind = MODEL_MAPPING.get(type(config), None)  # type: ignore[arg-type]
    named = getattr(kind, "main_input_name", None)
    return named == "pixel_values" and isinstance(getattr(config, "num_channels", None), int)


class PictureBackbone(Layered):
    """Encodes pictures: a state for each place that the encoder gives, row by row.

    Args:
        config: Of the encoder, as its folder says it.
        frozen_layers: So many of the lowest layers or stages, and what lies below, stay as they are.
    """

    def __init__(self, config: Mapping[str, Any], frozen_layers: int = 0) -> None:
        super().__init__(config)
        if frozen_layers:
            self.freeze(frozen_layers)

    def train(self, mode: bool = True) -> "PictureBackbone":
        """As any module, except that an encoder that learns nothing stands still, running means included."""
        super().train(mode and any(weight.requires_grad for weight in self.parameters()))
        return self

    def forward(self, values_BCHW: Tensor) -> Tensor:
        """[B, C, H, W] -> [B, L, D]."""
        states: Tensor = self.own(pixel_values=values_BCHW)[0]
        if states.ndim == 4:  # of convolutions: channels, then rows and columns
            return states.flatten(2).transpose(1, 2)
        return states


def form(config: Mapping[str, Any], channels: int, height: int, width: int) -> tuple[int, int]:
    """Places and numbers of a place that an encoder makes of a picture; nothing is computed.

    Raises:
        RecipeError: It cannot read such a picture.
    """
    with torch.device("meta"), torch.no_grad():
        part = PictureBackbone(config).eval()
        try:
            made = part(torch.empty(1, channels, height, width))
        except Exception as error:  # each encoder has its own words
            why = next(iter(str(error).strip().splitlines()), type(error).__name__)
            raise RecipeError(
                "[input] pretrained",
                "pictures that the encoder reads",
                f"{channels} x {height} x {width}: {why}",
                "say size = [HEIGHT, WIDTH] and mode in [input] as it was trained",
            ) from None
    return int(made.shape[1]), int(made.shape[2])

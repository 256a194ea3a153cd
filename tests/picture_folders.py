"""The smallest encoders of pictures in the form of Hugging Face, with random weights."""

import json
from pathlib import Path
from typing import Literal

import torch

Kind = Literal["vit", "resnet", "convnext"]


def picture_folder(place: Path, kind: Kind, seed: int = 0, channels: int = 1) -> Path:
    """A folder with an encoder of pictures of 8 x 8."""
    import transformers as library

    if kind == "vit":
        config = library.ViTConfig(
            hidden_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=32,
            image_size=8,
            patch_size=4,
            num_channels=channels,
        )
    elif kind == "resnet":
        config = library.ResNetConfig(
            num_channels=channels, embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic"
        )
    else:
        config = library.ConvNextConfig(
            num_channels=channels,
            hidden_sizes=[8, 16],
            depths=[1, 1],
            patch_size=2,
            image_size=8,
            num_stages=2,
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = library.AutoModel.from_config(config)
        for name, mean in model.named_buffers():  # as if it had been trained
            if name.endswith("running_mean"):
                mean.normal_()
    model.save_pretrained(place)
    return place


def normalised(place: Path, mean: float, deviation: float) -> None:
    """Say what shades the encoder was trained with."""
    told = {"image_mean": [mean], "image_std": [deviation]}
    (place / "preprocessor_config.json").write_text(json.dumps(told))

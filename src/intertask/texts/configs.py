"""What `config.json` of an encoder says, which anybody may have written."""

from collections.abc import Mapping
from typing import Any

from intertask.errors import RecipeError

MOST_LAYERS, MOST_NUMBER = 1_000, 10_000_000  # that a config may say
# What a config may say of code that is to be run, or of a form of weights that is not read here.
_LEFT_OUT = (
    "auto_map",
    "attn_implementation",
    "quantization_config",
    "dtype",
    "torch_dtype",
    "experts_implementation",
)
_OFFSET = ("roberta", "xlm-roberta", "camembert", "mpnet", "xlm-roberta-xl")  # places begin behind padding's
# Sizes without which nothing is built, or something that encodes nothing.
_COUNTS = (
    *("num_hidden_layers", "n_layers", "num_attention_heads", "n_heads", "hidden_size", "dim", "vocab_size"),
    *(
        "intermediate_size",
        "hidden_dim",
        "max_position_embeddings",
        "num_channels",
        "image_size",
        "patch_size",
    ),
    *("depths", "hidden_sizes"),
)


def refuse_extremes(config: Mapping[str, Any]) -> None:
    """Refuse a config that would be built for hours, or is of no known encoder.

    Raises:
        RecipeError: As it says.
    """
    for name, value in config.items():
        most = MOST_LAYERS if "layers" in name or "heads" in name or name == "depths" else MOST_NUMBER
        for number in value if isinstance(value, list | tuple) else [value]:
            if not isinstance(number, int | float) or isinstance(number, bool):
                continue
            if not -most <= number <= most:
                raise RecipeError(f"[input] pretrained {name}", f"{most:,} at most", f"{number:g}")
            if name in _COUNTS and number < 1:
                raise RecipeError(f"[input] pretrained {name}", "1 at least", f"{number:g}")
        if isinstance(value, list | dict) and len(value) > MOST_NUMBER // 1_000:
            raise RecipeError(f"[input] pretrained {name}", "a short list", f"{len(value):,} entries")
    if not isinstance(config.get("model_type"), str):
        raise RecipeError("[input] pretrained", "a config with model_type", "none")


def longest(config: Mapping[str, Any]) -> int:
    """Most tokens of a text."""
    places = config.get("max_position_embeddings", 512)
    places = places if isinstance(places, int) else 512
    offset = int(config.get("pad_token_id") or 0) + 1 if config.get("model_type") in _OFFSET else 0
    return max(1, places - offset)


def cleaned(config: Mapping[str, Any]) -> dict[str, Any]:
    """A config without what names code or a place."""
    return {name: value for name, value in config.items() if name[:1] != "_" and name not in _LEFT_OUT}


def whole_config(config: Mapping[str, Any]) -> Any:  # noqa: ANN401  (the library's own class, by its kind)
    """A config with its kind's defaults."""
    from transformers import AutoConfig

    options = cleaned(config)
    return AutoConfig.for_model(options.pop("model_type"), **options)

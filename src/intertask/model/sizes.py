"""How large a model and one batch of its training would be, found out before either is made.

A recipe of a few lines can ask for terabytes, each number of it within its bounds.
"""

import os
from dataclasses import replace

from intertask.errors import RecipeError
from intertask.model import ModelConfig
from intertask.model.blueprint import blueprint
from intertask.nn.dimensions import Dimensions
from intertask.storage.untrusted import megabytes
from intertask.tasks.next_item import Config as NextItem

MOST_WEIGHTS = 100_000_000  # beside the tables of items, which are as large as the data
MOST_PRETRAINED = 2_000_000_000  # with an encoder that somebody has trained already
COPIES = 4  # of the weights in training: themselves, their gradients, and two moments
NUMBER = 4  # bytes
# Numbers of a layer's width that a position of a batch holds until its gradients are there, counted in a
# transformer block of this project: projections, the inner layer, norms and residuals.
PER_LAYER, PER_STATE = 16, 6


def refuse_huge_model(config: ModelConfig, dimensions: Dimensions) -> None:
    """Refuse a model that no machine, or not this one, could hold.

    Args:
        config: What its parts are.
        dimensions: Sizes of recipe and data.

    Raises:
        RecipeError: Says how large the model would be.
    """
    bare = replace(dimensions, num_items=2, item_counts=None)
    own = _num_weights(config, bare)
    trained_before = any(getattr(part, "pretrained", None) for part in config.named_inputs.values())
    most = MOST_PRETRAINED if trained_before else MOST_WEIGHTS
    if own > most:
        raise RecipeError(
            "the model",
            f"at most {most:,} weights beside the vectors of the items",
            f"{own:,} with width = {config.width}",
            "take a smaller width, or fewer layers, experts or tasks",
        )
    needed, room = (
        COPIES * NUMBER * _num_weights(config, replace(bare, num_items=dimensions.num_items)),
        memory(),
    )
    if needed > room:
        raise RecipeError(
            "width",
            f"a model whose training fits into the {megabytes(room)} of this machine",
            f"{megabytes(needed)} for {dimensions.num_items:,} items of width {config.width}",
            "take a smaller width, or leave rare items out",
        )


def refuse_huge_batch(config: ModelConfig, tokens: int, longest: int) -> None:
    """Refuse batches that do not fit into memory.

    Args:
        config: Of a model.
        tokens: Most positions of a batch, one history at least.
        longest: Events of the longest history.

    Raises:
        RecipeError: Says how large a batch would be.
    """
    longest = min(longest, config.max_length)
    positions, width = max(tokens, longest), config.width
    layers = sum(getattr(config.encoder, name, 0) for name in ("num_layers", "num_recurrent_layers"))
    heads = getattr(config.encoder, "num_heads", 0)
    numbers = positions * width * (PER_LAYER * layers + PER_STATE * (1 + len(config.tasks)))
    numbers += positions * longest * heads * layers
    for task in config.tasks.values():
        if isinstance(task, NextItem):
            numbers += positions * task.loss.numbers_per_position(width)
    needed, room = NUMBER * numbers, memory()
    if needed > room:
        raise RecipeError(
            "[train] batch_tokens",
            f"batches that fit into the {megabytes(room)} of this machine",
            f"about {megabytes(needed)} for {positions:,} positions",
            "take a smaller batch_tokens, max_length or width, or fewer layers or negatives",
        )


def memory() -> int:
    """Bytes of memory of this machine; without a limit where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 2**63


def _num_weights(config: ModelConfig, dimensions: Dimensions) -> int:
    return sum(weight.numel() for weight in blueprint(config, dimensions).parameters())

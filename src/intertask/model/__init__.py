"""The model: its options, its parts composed, its size before it is made. Read `network.py` first."""

from intertask.model.config import (
    ModelConfig,
    is_reserved,
    refuse_misfits,
    refuse_strange,
    with_length_of_input,
)
from intertask.model.network import Model

__all__ = ["Model", "ModelConfig", "is_reserved", "refuse_misfits", "refuse_strange", "with_length_of_input"]

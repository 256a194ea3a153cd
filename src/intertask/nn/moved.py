"""Pictures moved a little at random, as training sees them: other pictures of the same things."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Movement:
    """How far pictures are moved at most.

    Args:
        flip: Half of them are turned about their vertical axis.
        shift: Pixels to each side.
        turn: Degrees.
        zoom: Share by which they grow or shrink.
    """

    flip: bool = False
    shift: int = 0
    turn: float = 0.0
    zoom: float = 0.0

    @property
    def any(self) -> bool:
        """Whether they are moved at all."""
        return self.flip or self.shift > 0 or self.turn > 0 or self.zoom > 0


def moved(values_BCHW: Tensor, movement: Movement) -> Tensor:
    """Pictures, each moved as torch's generator draws it; beyond an edge a picture goes on as its edge is."""
    if not movement.any:
        return values_BCHW
    count, _, height, width = values_BCHW.shape
    drawn_5B = torch.rand(5, count, device=values_BCHW.device) * 2 - 1
    angle_B = drawn_5B[0] * math.radians(movement.turn)
    scale_B = 1 + drawn_5B[1] * movement.zoom
    mirror_B = torch.where((drawn_5B[2] < 0) & movement.flip, -1.0, 1.0)
    # Coordinates run from -1 to 1 over a side: two are the whole side.
    across_B = drawn_5B[3] * 2 * movement.shift / width
    down_B = drawn_5B[4] * 2 * movement.shift / height
    cosine_B, sine_B = angle_B.cos() * scale_B, angle_B.sin() * scale_B
    maps_B23 = torch.stack(
        [
            torch.stack([cosine_B * mirror_B, -sine_B * height / width, across_B], dim=1),
            torch.stack([sine_B * mirror_B * width / height, cosine_B, down_B], dim=1),
        ],
        dim=1,
    )
    grid = functional.affine_grid(maps_B23, list(values_BCHW.shape), align_corners=False)
    return functional.grid_sample(values_BCHW, grid, padding_mode="border", align_corners=False)

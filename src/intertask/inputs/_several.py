"""Several inputs of one row, one behind the other in the order of the recipe, each with a mark of its own.

Where their rows are padded, the real places are moved together, so that padding stands behind them all.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from intertask.data.seam import Fields
from intertask.inputs import Embedded, Input
from intertask.nn.item_table import INITIAL_DEVIATION
from intertask.nn.layout import Layout, Span


class Several(nn.Module):
    """Inputs by name, and a vector for each that is added to its places.

    Args:
        inputs: In the order of their places.
        width: Of a vector.
    """

    def __init__(self, inputs: Mapping[str, Input], width: int) -> None:
        super().__init__()
        self.inputs = nn.ModuleDict(dict(inputs))
        self.segments_SD = nn.Parameter(torch.randn(len(inputs), width) * INITIAL_DEVIATION)

    def forward(self, fields: Mapping[str, Fields]) -> Embedded:
        """One sequence of all."""
        parts: list[Embedded] = [own(fields[name]) for name, own in self.inputs.items()]
        marked = [
            Embedded(part.hidden_BLD + segment_D, part.layout, part.marks_BLD)
            for part, segment_D in zip(parts, self.segments_SD, strict=True)
        ]
        return laid_out(marked)


def laid_out(parts: Sequence[Embedded]) -> Embedded:
    """Sequences one behind the other, their real places first.

    A place that may not see what comes after it may not see what stands behind it either: one causal part
    makes the whole causal. Where one part has times, the others stand at its first moment, such as what is
    known of a user before the first event; where one has marks the others' are zero, which adds nothing to a
    memory.
    """
    lengths = [part.layout.real_places_B(part.hidden_BLD) for part in parts]
    real_BL = torch.cat(
        [
            torch.arange(part.hidden_BLD.shape[1], device=own_B.device) < own_B[:, None]
            for part, own_B in zip(parts, lengths, strict=True)
        ],
        dim=1,
    )
    # Stable: places keep their order.
    order_BL = None if bool(real_BL.all()) else real_BL.logical_not().long().argsort(dim=1, stable=True)
    total_B = torch.stack(lengths).sum(0)
    layout = Layout(
        _together_if_all(_with_first_moments(parts, [part.layout.times_BL for part in parts]), order_BL),
        _together_if_all(
            _with_first_moments(parts, [part.layout.query_times_BL for part in parts]), order_BL
        ),
        total_B,
        causal=any(part.layout.causal for part in parts),
        spans=_spans(parts, lengths),
    )
    marks = [part.marks_BLD for part in parts]
    if any(own is not None for own in marks):
        marks = [
            torch.zeros_like(part.hidden_BLD) if own is None else own
            for part, own in zip(parts, marks, strict=True)
        ]
    hidden_BLD = _together([part.hidden_BLD for part in parts], order_BL)
    return Embedded(hidden_BLD, layout, _together_if_all(marks, order_BL))


def _with_first_moments(parts: Sequence[Embedded], times: Sequence[Tensor | None]) -> list[Tensor | None]:
    """The times of each part, of those that have none the first of a part that has some; all None without."""
    first_B1 = next((own[:, :1] for own in times if own is not None), None)
    if first_B1 is None:
        return list(times)
    return [
        first_B1.expand(-1, part.hidden_BLD.shape[1]) if own is None else own
        for part, own in zip(parts, times, strict=True)
    ]


def _spans(parts: Sequence[Embedded], lengths: Sequence[Tensor]) -> tuple[Span, ...]:
    ends = torch.stack(list(lengths)).cumsum(0)
    return tuple(
        Span(end_B - own_B, own_B, part.hidden_BLD.shape[1])
        for part, own_B, end_B in zip(parts, lengths, ends, strict=True)
    )


def _together(parts: Sequence[Tensor], order_BL: Tensor | None) -> Tensor:
    whole = torch.cat(list(parts), dim=1)
    if order_BL is None:
        return whole
    return whole.gather(1, order_BL.view(*order_BL.shape, *[1] * (whole.ndim - 2)).expand_as(whole))


def _together_if_all(parts: Sequence[Tensor | None], order_BL: Tensor | None) -> Tensor | None:
    there = [part for part in parts if part is not None]
    return _together(there, order_BL) if len(there) == len(parts) else None

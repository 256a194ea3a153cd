"""One closed-form step on the own part of an item: from a few events to a better vector, untrained.

The states q before the item's events should score it as states before events of trained items score theirs,
and all other states should score it as they did. With S the mean of q q' over states of anybody, the change d
of the vector is the ridge solution

    (sum_j q_j q_j' + b S + r I) d = sum_j q_j y_j

where y_j is what the score at event j lacks. The change is kept within the ball that the item's evidence
allows, so that one event moves a vector little and sixteen move it far.

Source: the item side of alternating least squares (Hu, Koren and Volinsky, 2008, equation 5), with the
model's states for the vectors of users.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from intertask.items.content import ContentItems

BACKGROUND = 30.0  # states of others for which the score should stay, b
RIDGE = 0.1
FULL = 0.95  # of the radius: at the rim the weights of the part would be infinite


@dataclass(frozen=True)
class Before:
    """What was known before the events of one item.

    Args:
        states_ND: As the head of the ranking reads them: a score is their product with the item's vector.
        wanted_N: The scores that the item should have had.
    """

    states_ND: Tensor
    wanted_N: Tensor


def solved(before: Before, vector_D: Tensor, mean_DD: Tensor, background: float, ridge: float) -> Tensor:
    """The change of an item's vector, before it is bounded.

    Args:
        before: Its events.
        vector_D: As it is.
        mean_DD: Mean of q q' over states of anybody.
        background: How many of those hold the score where it is.
        ridge: What holds the vector itself.
    """
    states_ND = before.states_ND.double()
    lacking_N = (before.wanted_N.double() - states_ND @ vector_D.double()).clamp(min=0)
    gram_DD = states_ND.T @ states_ND + background * mean_DD.double()
    gram_DD = gram_DD + ridge * torch.eye(len(gram_DD), dtype=gram_DD.dtype, device=gram_DD.device)
    change_D: Tensor = torch.linalg.solve(gram_DD, states_ND.T @ lacking_N)
    return change_D.to(vector_D.dtype)


def warm(
    items: ContentItems,
    events: Mapping[int, Before],
    mean_DD: Tensor,
    background: float = BACKGROUND,
    ridge: float = RIDGE,
) -> None:
    """Move the vectors of some items by their events, in place.

    Args:
        items: In evaluation mode.
        events: By the index of the item.
        mean_DD: As for `solved`.
        background: As for `solved`.
        ridge: As for `solved`.
    """
    evidence_I, radius = items.described.evidence_I.copy(), items.config.radius
    with torch.no_grad():
        vectors_ID, content_ID = items.weight_ID, items.of_content()
        for item, before in events.items():
            evidence_I[item] += len(before.states_ND)
            if not radius:
                continue
            change_D = solved(before, vectors_ID[item], mean_DD, background, ridge)
            rho = float(evidence_I[item] / (evidence_I[item] + items.config.evidence))
            own_D = (vectors_ID[item] + change_D - content_ID[item]) / rho
            length = own_D.norm().clamp(min=1e-12)
            own_D = own_D * (length.clamp(max=FULL * radius) / length)
            # Which weights of the part make that vector of it.
            items.own.weight[item] = own_D * torch.rsqrt(1 - own_D.square().sum() / radius**2)
    items.take(replace(items.described, evidence_I=evidence_I))

"""How far tasks agree: the gradient of each at the weights that they share, those of input and encoder.

At the trunk's output two tasks whose targets stand at different positions are orthogonal, always: whether
they want the same of the weights is seen below it. Vectors of items are left out: tasks that ask for
different items move different rows of them, which says nothing of a conflict.
"""

from collections.abc import Sequence
from itertools import compress

import torch
from torch import Tensor

from intertask.balance import AtWeights
from intertask.model import Model


def trunk_weights(model: Model) -> list[Tensor]:
    """The weights of input and encoder that are learnt, each once, without the vectors of items."""
    weights = {id(weight): weight for part in (model.input, model.encoder) for weight in part.parameters()}
    if model.items is not None:
        for weight in model.items.parameters():
            weights.pop(id(weight), None)
    return [weight for weight in weights.values() if weight.requires_grad]


def at_weights(model: Model, hidden_BLD: Tensor) -> AtWeights:
    """What turns gradients at the trunk's output into those at its weights, by one pass back for each row.

    Args:
        model: Whose trunk it is.
        hidden_BLD: The trunk's output, with the graph that led to it, which is kept.
    """

    def passed_back(gradients: Tensor) -> Tensor:
        weights, rows = trunk_weights(model), []
        if not weights:
            return gradients
        for gradient in gradients:
            parts = torch.autograd.grad(
                hidden_BLD, weights, gradient.view_as(hidden_BLD), retain_graph=True, allow_unused=True
            )
            rows.append(
                torch.cat(
                    [
                        (torch.zeros_like(weight) if part is None else part).flatten()
                        for weight, part in zip(weights, parts, strict=True)
                    ]
                )
            )
        return torch.stack(rows)

    return passed_back


def cosines(tasks: Sequence[str], gradients: Tensor) -> dict[str, object] | None:
    """The cosines between the gradients of tasks, and their lengths, as a journal holds them.

    Returns:
        None where fewer than two of them push: a detached task has no gradient here.
    """
    norms = gradients.norm(dim=1)
    pushes = norms > 0
    if pushes.sum() < 2:
        return None
    norms = norms[pushes]
    unit = gradients[pushes] / norms[:, None]
    return {
        "tasks": list(compress(tasks, pushes.tolist())),
        "cosines": [[round(value, 4) for value in row] for row in (unit @ unit.T).tolist()],
        "norms": [float(f"{value:.3g}") for value in norms.tolist()],
        "at": "weights",
    }

"""Parts of a model that learn at a rate of their own, as those must that have been trained before."""

from collections.abc import Iterable
from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(frozen=True)
class LearnsAt:
    """What a part says of the weights that are its own.

    Args:
        rate: Highest learning rate, above zero.
        names: Of the weights, as the part calls them.
    """

    rate: float
    names: tuple[str, ...]


def learn_at(part: nn.Module, rate: float, others: Iterable[Tensor]) -> None:
    """Have a part learn at a rate of its own; at zero its weights stay as they are.

    Args:
        part: Of a model.
        rate: In place of the rate of the training.
        others: Weights that the part reads and that are not its own, such as the items'.
    """
    foreign = {id(weight) for weight in others}
    own = {name: weight for name, weight in part.named_parameters() if id(weight) not in foreign}
    if rate == 0:
        for weight in own.values():
            weight.requires_grad_(False)
    else:
        vars(part)["learns_at"] = LearnsAt(rate, tuple(own))


def own_rates(model: nn.Module) -> dict[int, float]:
    """The rates of weights that learn at one of their own, by their identity."""
    found: dict[int, float] = {}
    for module in model.modules():
        own = vars(module).get("learns_at")
        if isinstance(own, LearnsAt):
            found |= {id(module.get_parameter(name)): own.rate for name in own.names}
    return found

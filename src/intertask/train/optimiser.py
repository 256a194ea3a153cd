"""AdamW, its learning rate, and the clipping of gradients."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from intertask.nn.item_table import sparse_tables
from intertask.nn.rates import own_rates
from intertask.train.config import TrainConfig

WARMUP_SHARE, MOST_WARMUP = 0.1, 200  # where the recipe leaves the warm-up out


class Optimiser:
    """AdamW for dense gradients, and Adam of the looked-up rows for tables with sparse ones.

    Weight decay falls on the matrices of linear and recurrent layers, and on tables of vectors as far as
    the configuration asks for it; never on biases, norms, and tables with sparse gradients. A row that a
    step did not read is left as it is, moments included (torch's SparseAdam), so that a step costs the
    same in a table of any size. A group of weights that was given a rate of its own keeps its ratio to the
    configuration's under any schedule.

    Args:
        model: Whose weights are learnt.
        config: Options.
        apart: Parts of the model whose gradients are clipped by themselves, by name.
    """

    def __init__(
        self, model: nn.Module, config: TrainConfig, apart: Mapping[str, nn.Module] | None = None
    ) -> None:
        layers = [module for module in model.modules() if isinstance(module, nn.Linear | nn.RNNBase)]
        matrices = {id(weight) for layer in layers for weight in layer.parameters() if weight.ndim >= 2}
        sparse = {id(weight): weight for weight in sparse_tables(model)}
        learnt = [weight for weight in model.parameters() if weight.requires_grad]
        dense = [weight for weight in learnt if id(weight) not in sparse]
        tables = {id(part.weight) for part in model.modules() if isinstance(part, nn.Embedding)}
        kinds = [
            ([weight for weight in dense if id(weight) in matrices], config.weight_decay),
            ([weight for weight in dense if id(weight) in tables], config.table_decay),
            ([weight for weight in dense if id(weight) not in matrices | tables], 0.0),
        ]
        rates = own_rates(model)
        groups = [
            {
                "params": [weight for weight in weights if rates.get(id(weight)) == rate],
                "weight_decay": decay,
                "lr": config.learning_rate if rate is None else rate,
            }
            for rate in (None, *sorted(set(rates.values())))
            for weights, decay in kinds
        ]
        self.apart = {
            name: [weight for weight in part.parameters() if weight.requires_grad]
            for name, part in (apart or {}).items()
        }
        alone = {id(weight) for weights in self.apart.values() for weight in weights}
        self.weights = [weight for weight in learnt if id(weight) not in alone]
        self.clip_norm = config.clip_norm
        self.highest = config.learning_rate
        self.parts: list[torch.optim.Optimizer] = [
            torch.optim.AdamW(groups, lr=config.learning_rate, fused=True)
        ]
        if sparse:
            self.parts.append(torch.optim.SparseAdam(list(sparse.values()), lr=config.learning_rate))

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for part in self.parts:
            part.zero_grad(set_to_none=True)

    def step(self, learning_rate: float) -> None:
        """Update the weights by their gradients.

        Args:
            learning_rate: Of a group whose rate is the configuration's; others are scaled alike.
        """
        for part in self.parts:
            for group in part.param_groups:
                own = group.setdefault("initial_lr", group["lr"])  # the name that torch's schedules use
                group["lr"] = learning_rate * (own / self.highest)
            part.step()

    def clip(self, part: str | None = None) -> float:
        """Scale gradients down to `clip_norm` if their common norm is larger; returns that norm.

        Args:
            part: Those of a part that stands apart; of all weights that stand in none if left out.
        """
        gradients = []
        for weight in self.weights if part is None else self.apart[part]:
            if weight.grad is not None and weight.grad.is_sparse:
                weight.grad = weight.grad.coalesce()
                gradients.append(weight.grad._values())
            elif weight.grad is not None:
                gradients.append(weight.grad)
        norm = nn.utils.get_total_norm(gradients)
        for gradient in gradients:
            gradient.mul_((self.clip_norm / (norm + 1e-6)).clamp(max=1.0))
        return float(norm)

    def state(self, weight: Tensor) -> dict[str, Tensor]:
        """The moments of a weight, and its count of steps; empty before the first."""
        found = (part.state[weight] for part in self.parts if weight in part.state)
        return {key: torch.as_tensor(value) for key, value in next(found, {}).items()}

    def set_state(self, weight: Tensor, state: dict[str, Tensor]) -> None:
        """Put in what `state` gave."""
        for part in self.parts:
            if any(weight is own for group in part.param_groups for own in group["params"]):
                rows_alone = isinstance(part, torch.optim.SparseAdam)  # it counts steps by a Python integer
                part.state[weight] = {
                    key: int(value) if rows_alone and key == "step" else value.to(weight.device)
                    for key, value in state.items()
                }


def warmup_steps(config: TrainConfig, planned: int) -> int:
    """Over how many of the planned steps the learning rate rises."""
    if config.warmup_steps is not None:
        return config.warmup_steps
    if config.warmup_share is not None:
        return round(config.warmup_share * planned)
    return min(MOST_WARMUP, round(WARMUP_SHARE * planned))


def learning_rate(config: TrainConfig, warmup: int, step: int, done: float) -> float:
    """The learning rate of a step, counted from 0, when a share of all epochs is done."""
    highest = config.learning_rate * min(1.0, (step + 1) / max(1, warmup))
    if config.schedule == "constant":
        return highest
    return highest * 0.5 * (1 + math.cos(math.pi * done))

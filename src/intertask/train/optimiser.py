"""AdamW and its learning rate."""

import math

import torch
from torch import nn

from intertask.train.config import TrainConfig


def build(model: nn.Module, config: TrainConfig) -> torch.optim.AdamW:
    """AdamW; weight decay on the matrices of linear and recurrent layers alone."""
    layers = [module for module in model.modules() if isinstance(module, nn.Linear | nn.RNNBase)]
    matrices = {id(weight) for layer in layers for weight in layer.parameters() if weight.ndim >= 2}
    decayed = [weight for weight in model.parameters() if id(weight) in matrices]
    free = [weight for weight in model.parameters() if id(weight) not in matrices]
    groups = [{"params": decayed, "weight_decay": config.weight_decay}, {"params": free, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=config.learning_rate, fused=True)


def learning_rate(config: TrainConfig, step: int, done: float) -> float:
    """The learning rate of a step, counted from 0, when a share of all epochs is done."""
    highest = config.learning_rate * min(1.0, (step + 1) / max(1, config.warmup_steps))
    if config.schedule == "constant":
        return highest
    return highest * 0.5 * (1 + math.cos(math.pi * done))

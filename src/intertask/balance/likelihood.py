"""The likelihood of all labels: each counts once, by its nats, whichever task it is of.

The sum over tasks of the negative log-likelihood of their labels is what one model of all of them together
minimises; nothing has to be weighed by hand. A task with a tenth of the labels has a tenth of the say, a
duplicate of a tenth takes a tenth, and a yes or no, which has less to say than the choice among thousands of
items, says less. Source: Kendall, Gal and Cipolla, CVPR 2018, equations 4 to 6, with the noise of a value
taken from the training labels.
"""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from intertask.balance import Balance, BalanceConfig
from intertask.balance.equal import WeightedSum


class Config(BalanceConfig):
    """The default. `labels` is 1: with 0 each task counts by its nats a label, however few it has."""

    kind: Literal["likelihood"] = "likelihood"
    labels: float = Field(default=1.0, ge=0, le=1)

    in_nats: ClassVar[bool] = True

    def build(self, weights: Mapping[str, float], constant_losses: Mapping[str, float]) -> Balance:
        """The balance."""
        return WeightedSum(weights)

"""What a user will answer to an item: bought or not, liked or not, rated how high."""

from typing import ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import model_validator
from scipy.special import entr
from torch import Tensor, nn
from torch.nn import functional

from intertask.answers import Answer, Array
from intertask.answers.probability import Probability
from intertask.answers.value import Value
from intertask.data.batches import Following
from intertask.data.seam import Target
from intertask.data.sequences import Sequences
from intertask.errors import RecipeError
from intertask.nn.dimensions import Dimensions
from intertask.nn.item_table import Items
from intertask.tasks import SMALLEST_VARIANCE, Task, TaskConfig, behaviour_code

CERTAIN = 1e-30  # nearer to one a product of probabilities may not come: no would have no logarithm


class Config(TaskConfig):
    """Options of a response task. Its label is read at the next event, whose item the head is given.

    Args:
        behaviour: Learn whether the event is of this behaviour.
        label: Learn this label column of the log; events without a value are not asked about.
        at_least: Turn the column into yes or no: yes from this value on.
        form: "binary": a probability; "regression": a value, by squared error.
        given: The step before in a funnel: another binary response that must be yes for this one to be yes,
            such as a click before a purchase. The head learns the probability under that condition, which is
            calibrated; the product of both is trained on all labels, and answered. Source: Ma et al., "Entire
            Space Multi-Task Model", SIGIR 2018.
    """

    kind: Literal["response"] = "response"
    judges: ClassVar[bool] = True
    behaviour: str | None = None
    label: str | None = None
    at_least: float | None = None
    form: Literal["binary", "regression"] = "binary"
    given: str | None = None

    @model_validator(mode="after")
    def _one_source(self) -> "Config":
        if (self.behaviour is None) == (self.label is None):
            raise ValueError("exactly one of behaviour and label")
        if self.form == "regression" and (self.behaviour is not None or self.at_least is not None):
            raise ValueError("a regression has a label, and neither behaviour nor at_least")
        if self.form == "regression" and self.given is not None:
            raise ValueError("a regression is no step of a funnel")
        return self

    @property
    def answer(self) -> Answer:
        """A probability, or a value."""
        return Value() if self.form == "regression" else Probability()

    def build(self, name: str, dimensions: Dimensions, items: Items | None) -> "Response":
        """The head and its loss."""
        assert items is not None
        code = None
        if self.behaviour is not None:
            code = behaviour_code(self.behaviour, dimensions.behaviours, f"[tasks.{name}] behaviour")
        return Response(self, code, dimensions, items)

    def constant_loss(self, training: Sequences, behaviours: tuple[str, ...]) -> float:
        """The entropy of a binary label, in nats; the variance of a value.

        Raises:
            RecipeError: The log has no such label column, no event has a label, a binary one is not 0 or
                1, or all are alike: nothing can be learnt, and a loss without a scale may harm other tasks.
        """
        labels = self.labels(training, behaviours)
        labels = labels[~np.isnan(labels)]
        if len(labels) == 0:
            raise RecipeError(
                f"label {self.label!r}", "a label at some training event that follows another", "none"
            )
        if self.behaviour is not None and not labels.any():
            raise RecipeError(
                f"response to behaviour {self.behaviour!r}",
                "a training event of it that follows another",
                "none",
                "leave the task out, or split otherwise",
            )
        if self.form == "regression":
            self._refuse_alike(labels, "labels that differ", f"{labels[0]:g}", "leave the task out")
            return float(labels.var(dtype=np.float64))  # 1e20 squared is beyond float32
        strange = labels[(labels != 0) & (labels != 1)]
        if len(strange):
            raise RecipeError(
                f"label {self.label!r}",
                "0 or 1, as a binary response has",
                f"{strange[0]:g}",
                'add at_least = ..., or form = "regression"',
            )
        no = (
            "a yes at some training event that follows another",
            "no",
            "leave the task out, or say yes to more",
        )
        yes = (
            "a no at some training event that follows another",
            "yes",
            "leave the task out, or say yes to less",
        )
        self._refuse_alike(labels, *(yes if labels.any() else no))
        share = float(labels.mean())
        return float(entr(share) + entr(1 - share))

    def _refuse_alike(self, labels: NDArray[np.float32], expected: str, all_are: str, hint: str) -> None:
        if labels.min() < labels.max():
            return
        where = (
            f"label {self.label!r}" if self.behaviour is None else f"response to behaviour {self.behaviour!r}"
        )
        least = "" if self.at_least is None else f" at_least {self.at_least:g}"
        raise RecipeError(where + least, expected, f"{len(labels)} labels, all of them {all_are}", hint)

    def nats(self, constant_loss: float) -> float:
        """Of a value as a draw from a normal distribution with the labels' variance."""
        return 1 / (2 * max(constant_loss, SMALLEST_VARIANCE)) if self.form == "regression" else 1.0

    def asked(
        self, sequences: Sequences, targets: NDArray[np.int64], behaviours: tuple[str, ...]
    ) -> NDArray[np.int64]:
        """The targets that have a label."""
        return np.flatnonzero(~np.isnan(self.labels(sequences, behaviours)[targets]))

    def truth(self, sequences: Sequences, behaviours: tuple[str, ...]) -> Array:
        """The labels."""
        return self.labels(sequences, behaviours)

    def labels(self, sequences: Sequences, behaviours: tuple[str, ...]) -> NDArray[np.float32]:
        """The label of every event, float32, NaN where it has none.

        Raises:
            RecipeError: The log has no such label column.
        """
        if self.behaviour is not None:
            return np.asarray(sequences.behaviours == behaviours.index(self.behaviour), np.float32)
        assert self.label is not None
        if self.label not in sequences.labels:
            raise RecipeError(
                f"label {self.label!r}",
                f"one of {', '.join(sequences.labels) or 'no label columns'}",
                repr(self.label),
                "map the column as a label when the log is read",
            )
        values = np.asarray(sequences.labels[self.label])
        if self.at_least is None:
            return values
        return np.where(np.isnan(values), np.nan, values >= self.at_least).astype(np.float32)


class Response(Task):
    """A perceptron over the state, the item's vector, and their product."""

    def __init__(self, config: Config, behaviour: int | None, dimensions: Dimensions, items: Items) -> None:
        super().__init__()
        self.config = config
        self.behaviour = behaviour
        self.items = items
        width = dimensions.width
        self.head = nn.Sequential(nn.Linear(3 * width, width), nn.SiLU(), nn.Linear(width, 1))
        self.item_bias = nn.Embedding(dimensions.num_items, 1)
        nn.init.zeros_(self.item_bias.weight)

    def begin_with(self, base: float, beside_I: NDArray[np.float64]) -> None:
        """Answer the same to every history: what all items have, and each item beside that.

        Args:
            base: A logit, or the value of a regression.
            beside_I: What is added to it for each item.
        """
        last = self.head[-1]
        with torch.no_grad():
            last.get_parameter("weight").zero_()
            last.get_parameter("bias").fill_(base)
            self.item_bias.weight.copy_(torch.from_numpy(beside_I).unsqueeze(1))

    def loss(self, states: Tensor, target: Target, log_before_BL: Tensor | None = None) -> Tensor | None:
        """The loss at the positions whose next event has a label, and nowhere else.

        Args:
            states: The task's.
            target: What follows.
            log_before_BL: Log-probability of the steps of the funnel before this one.
        """
        assert isinstance(target, Following)
        labels_BL = self._labels(target)
        mask_BL = target.mask_BL & ~labels_BL.isnan()
        if not mask_BL.any():
            return None
        answers_N = self._raw(states[mask_BL], target.items_BL[mask_BL])
        if self.config.form == "regression":
            return functional.mse_loss(answers_N, labels_BL[mask_BL])
        if log_before_BL is None:
            return functional.binary_cross_entropy_with_logits(answers_N, labels_BL[mask_BL])
        log_yes_N = log_before_BL[mask_BL] + functional.logsigmoid(answers_N)
        log_no_N = torch.log(-torch.expm1(log_yes_N.clamp(max=-CERTAIN)))
        labels_N = labels_BL[mask_BL]
        return -(labels_N * log_yes_N + (1 - labels_N) * log_no_N).mean()

    def predict(self, state_ND: Tensor, items_N: Tensor, log_before_N: Tensor | None = None) -> Tensor:
        """The probability, or the value."""
        if self.config.form == "regression":
            return self._raw(state_ND, items_N)
        log_yes_N = self.log_yes(state_ND, items_N)
        return log_yes_N.exp() if log_before_N is None else (log_before_N + log_yes_N).exp()

    def log_yes(self, state: Tensor, items: Tensor) -> Tensor:
        """The log-probability of yes, given the steps before, calibrated: [..., D] and [...] -> [...]."""
        return functional.logsigmoid(self._raw(state, items) / self.calibration)

    def shift(self, logits: float) -> None:
        """Add to what `calibration` divides."""
        with torch.no_grad():
            self.head[-1].get_parameter("bias").add_(logits)

    def _raw(self, state_ND: Tensor, items_N: Tensor) -> Tensor:
        vectors_ND = self.items(items_N)
        features = torch.cat([state_ND, vectors_ND, state_ND * vectors_ND], dim=-1)
        bias_N = self.item_bias(items_N)
        if (share_N := self.items.own_share(items_N)) is not None:  # of an item without events it is nothing
            bias_N = share_N[..., None] * bias_N
        raw_N: Tensor = (self.head(features) + bias_N).squeeze(-1)
        return raw_N

    def _labels(self, events: Following) -> Tensor:
        if self.behaviour is not None:
            return (events.behaviours_BL == self.behaviour).float()
        labels_BL = events.labels[self.config.label or ""]
        if self.config.at_least is None:
            return labels_BL
        return torch.where(labels_BL.isnan(), labels_BL, (labels_BL >= self.config.at_least).float())

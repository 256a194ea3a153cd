"""The validation targets of a log, of one recipe's tasks."""

from collections.abc import Mapping

from intertask.data.seam import Frozen
from intertask.evaluate.choosing import Basis
from intertask.evaluate.examiner import Qualities
from intertask.evaluate.protocol import EventsProtocol
from intertask.events.protocol import protocol
from intertask.events.splits import Split
from intertask.events.validation import Validator
from intertask.model import Model, ModelConfig

KEPT = 'set [evaluation] history = ["kept"], where targets may stand in their history; '


class EventExaminer:
    """Asks a model for the validation events.

    Args:
        config: Of the model.
        validator: Knows the targets.
        split: That they are of.
        limit: How many of them are asked for at most.
    """

    def __init__(self, config: ModelConfig, validator: Validator, split: Split, limit: int) -> None:
        self.config, self.validator = config, validator
        self.split, self.limit = split, limit

    def names(self) -> list[str]:
        """The names of the metrics that the tasks will have, without asking a model."""
        return self.validator.names(self.config)

    def monitor(self, task: str) -> str:
        """The metric of a task that chooses the epoch where none is named."""
        return f"{task}/{self.config.tasks[task].answer.monitor}"

    def bases(self) -> Mapping[str, Basis]:
        """What the metrics of each task are taken from, for tasks that have targets."""
        return self.validator.bases(self.config)

    def advice(self, task: str) -> str:
        """Targets may be left out because they stand in their history."""
        hidden = self.config.tasks[task].answer.ranks and self.validator.history == "masked"
        return KEPT if hidden else ""

    def protocol(self, model: Model) -> EventsProtocol:
        """How the metrics of a model are measured."""
        return protocol(
            self.validator.sequences,
            self.split,
            "validation",
            (self.validator.history,),
            query_time=model.config.encoder.uses_query_time,
            limit=self.limit,
        )

    def __call__(self, model: Model) -> dict[str, float]:
        """The metrics of the model as it is."""
        return self.validator(model)

    def frozen(self, model: Model) -> Frozen:
        """The reported metrics of a model of which nothing but heads changes from now on."""
        return self.validator.frozen(model)

    def calibration(self, model: Model, task: str) -> Qualities | None:
        """How well the targets of every other user are answered, and the users."""
        return self.validator.calibration(model, task)

    def calibrate(self, model: Model) -> None:
        """Set what the logits of each task's probabilities are divided by."""
        self.validator.calibrate(model)

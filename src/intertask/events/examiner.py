"""The validation targets of a log, of one recipe's tasks."""

from collections.abc import Mapping

from intertask.evaluate.choosing import Basis
from intertask.evaluate.examiner import Qualities
from intertask.evaluate.validation import Validator
from intertask.model import Model, ModelConfig

KEPT = 'set [evaluation] history = ["kept"], where targets may stand in their history; '


class EventExaminer:
    """Asks a model for the validation events.

    Args:
        config: Of the model.
        validator: Knows the targets.
    """

    def __init__(self, config: ModelConfig, validator: Validator) -> None:
        self.config, self.validator = config, validator

    def names(self) -> list[str]:
        """The names of the metrics that the tasks will have, without asking a model."""
        return self.validator.names(self.config)

    def bases(self) -> Mapping[str, Basis]:
        """What the metrics of each task are taken from, for tasks that have targets."""
        return self.validator.bases(self.config)

    def advice(self, task: str) -> str:
        """Targets may be left out because they stand in their history."""
        hidden = self.config.tasks[task].answer.ranks and self.validator.history == "masked"
        return KEPT if hidden else ""

    def __call__(self, model: Model) -> dict[str, float]:
        """The metrics of the model as it is."""
        return self.validator(model)

    def calibration(self, model: Model, task: str) -> Qualities | None:
        """How well the targets of every other user are answered, and the users."""
        return self.validator.calibration(model, task)

    def calibrate(self, model: Model) -> None:
        """Set what the logits of each task's probabilities are divided by."""
        self.validator.calibrate(model)

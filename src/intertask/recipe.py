"""A whole run in one file: data, split, model, training, evaluation.

The sections' options live beside what they configure; this file only lists the sections.
"""

import json
from pathlib import Path
from typing import Annotated

from pydantic import Field, SerializeAsAny, model_validator

from intertask.balance import BalanceConfig
from intertask.balance.entropy import Config as Entropy
from intertask.config import Config, parse, plugin, read_toml
from intertask.data.splits import LeaveOneOut, TimeSplit
from intertask.datasets import DatasetConfig
from intertask.errors import RecipeError
from intertask.evaluate.config import EvaluationConfig
from intertask.model import ModelConfig
from intertask.train.config import TrainConfig


class EventsFile(Config):
    """A log and what its columns mean; a relative path starts at the recipe's folder."""

    path: Path
    user: str = "user"
    item: str = "item"
    time: str | None = None
    order: str | None = None
    behaviour: str | None = None
    labels: tuple[str, ...] = ()
    strict: bool = False


class CatalogueFile(Config):
    """A catalogue and what its columns mean; a relative path starts at the recipe's folder."""

    path: Path
    item: str = "item"
    text: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    strict: bool = False


class DataConfig(Config):
    """Where the data come from: a known data set, or files; neither where they are handed over."""

    dataset: Annotated[SerializeAsAny[DatasetConfig], plugin("datasets", table="data")] | None = None
    events: EventsFile | None = None
    catalogue: CatalogueFile | None = None

    @model_validator(mode="after")
    def _one_source(self) -> "DataConfig":
        if self.dataset is not None and self.events is not None:
            raise ValueError("a dataset or an events table, not both")
        return self


class Recipe(ModelConfig):
    """A recipe.

    Args:
        name: What the model is called in tables and reports.
        seed: From which every stream of random numbers is derived.
        data: Where the data come from.
        split: What trains and what is held out.
        balance: Several losses to one.
        train: Options of training.
        evaluation: Options of evaluation.
    """

    name: str = "unnamed"
    seed: int = Field(default=1, ge=0)
    data: DataConfig = DataConfig()
    split: Annotated[LeaveOneOut | TimeSplit, Field(discriminator="kind")] = LeaveOneOut()
    balance: Annotated[SerializeAsAny[BalanceConfig], plugin("balance")] = Entropy()
    train: TrainConfig = TrainConfig()
    evaluation: EvaluationConfig = EvaluationConfig()

    @classmethod
    def read(cls, file: str | Path) -> "Recipe":
        """The recipe in a TOML file, or in the recipe.json of a run or a model folder.

        Raises:
            RecipeError: The first thing that is wrong, with file, section and key.
        """
        file = Path(file)
        if file.suffix == ".json":
            return cls.from_json(file)
        return parse(cls, {"name": file.stem, **read_toml(file)}, str(file))

    @classmethod
    def from_json(cls, file: Path) -> "Recipe":
        """The recipe that `to_json` wrote."""
        try:
            return parse(cls, json.loads(file.read_text(encoding="utf-8")), str(file))
        except (OSError, ValueError) as error:
            raise RecipeError(str(file), "a recipe in JSON", str(error)) from None

    def shaping(self) -> dict[str, object]:
        """What decides on the trained weights, given the data; the rest may change within a run."""
        told = self.model_dump(mode="json", exclude={"name", "data", "evaluation"})
        for harmless in ("workers", "checkpoint_steps", "gradient_steps", "device"):
            del told["train"][harmless]
        return told | {"history": self.evaluation.history[0]}

    def to_json(self) -> str:
        """The whole recipe, defaults included."""
        return self.model_dump_json(indent=1)

"""How a model is evaluated, as a recipe says it."""

from typing import Annotated, Literal, TypeVar

from pydantic import Field, SerializeAsAny, field_validator

from intertask.options.config import Config, PluginConfig, plugins
from intertask.references import ReferenceConfig
from intertask.sources import SourceConfig

MODEL = "intertask"  # the model's name in every table
ALONE, WITHOUT = "model alone", "without the model"  # what a model with a ranker is compared with
Named = TypeVar("Named", bound=PluginConfig)
HistoryMode = Literal["masked", "kept"]


class EvaluationConfig(Config):
    """Options of evaluation.

    Args:
        k: Lengths of the lists that are measured.
        history: "masked": items of the history are no candidates, and targets among them are left out
            and counted; "kept": they are candidates. Both may be given; the first decides what
            `recommend` does.
        baselines: What the model is compared with: tables [evaluation.baselines.NAME] with a `kind`.
        references: What a model of rows is compared with: tables [evaluation.references.NAME] with a `kind`.
        resamples: Number of bootstrap resamples behind each interval.
        tradeoff: Also rank by mixtures of the first two behaviours that have a task.
    """

    k: tuple[Annotated[int, Field(ge=1, le=10_000)], ...] = Field(
        default=(5, 10, 20), min_length=1, max_length=20
    )
    history: tuple[HistoryMode, ...] = Field(default=("masked",), min_length=1)
    baselines: Annotated[
        dict[str, SerializeAsAny[SourceConfig]], plugins("sources", table="evaluation", may_be_empty=True)
    ] = Field(
        default={
            name: {"kind": name}
            for name in ("popularity", "recent_popularity", "item_knn", "ease", "als", "transition")
        },
        validate_default=True,
    )
    references: Annotated[
        dict[str, SerializeAsAny[ReferenceConfig]],
        plugins("references", table="evaluation", may_be_empty=True),
    ] = Field(default={name: {"kind": name} for name in ("trees", "linear")}, validate_default=True)
    resamples: int = Field(default=2000, ge=100, le=100_000)
    tradeoff: bool = True

    @field_validator("history")
    @classmethod
    def _each_once(cls, history: tuple[HistoryMode, ...]) -> tuple[HistoryMode, ...]:
        if len(set(history)) < len(history):
            raise ValueError("each of 'masked' and 'kept' once at most")
        return history

    @field_validator("baselines", "references")
    @classmethod
    def _not_the_model(cls, systems: dict[str, Named]) -> dict[str, Named]:
        for name in (MODEL, ALONE, WITHOUT):
            if name in systems:
                raise ValueError(f"another name than {name!r}, which is a row of the model in every table")
        return systems

"""How a model is evaluated, as a recipe says it."""

from typing import Annotated, Literal

from pydantic import Field, SerializeAsAny

from intertask.baselines import BaselineConfig
from intertask.config import Config, plugins

HistoryMode = Literal["masked", "kept"]


class EvaluationConfig(Config):
    """Options of evaluation.

    Args:
        k: List lengths.
        history: "masked": items of the history are no candidates, and targets among them are left out
            and counted; "kept": they are candidates. Several are reported side by side.
        baselines: Tables [evaluation.baselines.NAME] with the kind of each baseline.
        resamples: Of the bootstrap.
    """

    k: tuple[int, ...] = (5, 10, 20)
    history: tuple[HistoryMode, ...] = ("masked",)
    baselines: Annotated[
        dict[str, SerializeAsAny[BaselineConfig]], plugins("baselines", table="evaluation")
    ] = Field(
        default={
            name: {"kind": name}
            for name in ("popularity", "recent_popularity", "item_knn", "ease", "als", "transition")
        },
        validate_default=True,
    )
    resamples: int = Field(default=2000, ge=100)

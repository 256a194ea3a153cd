"""No ranker: the model alone ranks."""

from typing import Literal

from intertask.rankers import RankerConfig


class Config(RankerConfig):
    """No options."""

    kind: Literal["none"] = "none"

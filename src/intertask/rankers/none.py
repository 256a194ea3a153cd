"""No ranker: the model alone ranks."""

from typing import Literal

from intertask.rankers import Examples, Mixer, RankerConfig
from intertask.signals import Arrays


class Config(RankerConfig):
    """No options."""

    kind: Literal["none"] = "none"

    def learn(self, examples: Examples, seed: int) -> Mixer:
        """Never asked, as nothing is mixed."""
        raise NotImplementedError  # `mixed` is None, by which callers know

    def restore(self, arrays: Arrays, columns: tuple[str, ...], where: str) -> Mixer:
        """Never asked, as nothing is mixed."""
        raise NotImplementedError  # `mixed` is None, by which callers know

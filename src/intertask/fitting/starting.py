"""Weights that a training starts from: those of another model, its items found again by their ids."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from intertask.data.corpus import Corpus
from intertask.data.vocabulary import Vocabulary
from intertask.errors import RequestError
from intertask.items.content import KEPT
from intertask.model import Model
from intertask.model.blueprint import blueprint
from intertask.train.checkpoint import weights


@dataclass(frozen=True)
class Start:
    """A model to start from.

    Args:
        model: Trained on some log.
        items: Ids of its items.
        behaviours: Names of its behaviours.
        trained_I: Which of the items it knows; the vectors of others are random.
    """

    model: Model
    items: Vocabulary
    behaviours: tuple[str, ...]
    trained_I: NDArray[np.bool_]

    def digest(self) -> str:
        """SHA-256 over weights and ids."""
        total = hashlib.sha256()
        for name, weight in sorted(weights(self.model).items()):
            total.update(name.encode())
            total.update(weight.cpu().contiguous().numpy().tobytes())
        total.update("\0".join(map(str, self.items.ids.to_list())).encode())
        return total.hexdigest()

    def give(self, model: Model, corpus: Corpus) -> None:
        """Set the weights of a model that is as large but for its items; new items keep theirs.

        Raises:
            RequestError: The models differ in more than items.
        """
        if self.behaviours != corpus.behaviours:
            raise RequestError(
                "start_from",
                f"a model of the behaviours {', '.join(corpus.behaviours)}",
                ", ".join(self.behaviours),
                "train on a log that has them all",
            )
        old, new = weights(self.model), weights(model)
        new.pop(KEPT, None)  # of texts as their encoder was made elsewhere
        by_item = _by_item(model)
        here = self.items.encode(corpus.items.ids)
        known = np.flatnonzero((here >= 0) & self.trained_I[np.maximum(here, 0)])
        to, of = torch.from_numpy(known.astype(np.int64)), torch.from_numpy(here[known].astype(np.int64))
        for name, weight in new.items():
            other = old.get(name)
            if other is None or _form(other, name in by_item) != _form(weight, name in by_item):
                found = "none" if other is None else str(list(other.shape))
                raise RequestError(
                    "start_from", f"{name} {list(weight.shape)}", found, "take the same recipe"
                )
        with torch.no_grad():
            for name, weight in new.items():
                if name in by_item:
                    weight[to] = old[name].to(weight)[of]
                else:
                    weight.copy_(old[name])


def _form(weight: Tensor, by_item: bool) -> tuple[int, ...]:
    return tuple(weight.shape[1:] if by_item else weight.shape)


def _by_item(model: Model) -> set[str]:
    """The names of weights with a row an item: those that are longer where there is one item more."""
    longer = replace(model.dimensions, num_items=model.dimensions.num_items + 1, item_counts=None)
    shapes: Mapping[str, Tensor] = weights(blueprint(model.config, longer))
    return {
        name
        for name, weight in weights(model).items()
        if name in shapes and shapes[name].shape != weight.shape
    }

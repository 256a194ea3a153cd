"""What a training leaves: a model, the data that it was trained on, and who chose its epoch."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar, cast

from torch import Tensor

from intertask.data.corpus import Corpus as EventCorpus
from intertask.data.seam import Corpus, Split
from intertask.evaluate.examiner import Examiner
from intertask.events.splits import Split as EventSplit
from intertask.model import Model
from intertask.ranking import Ranker
from intertask.samples.corpus import RowCorpus
from intertask.samples.splits import Split as RowSplit
from intertask.train.loop import Trained

C_co = TypeVar("C_co", bound=Corpus, covariant=True)
S_co = TypeVar("S_co", bound=Split, covariant=True)


@dataclass(frozen=True)
class Fitted(Generic[C_co, S_co]):
    """A trained model with the data that it was trained on.

    Args:
        corpus: All data.
        split: What of them was trained on.
        model: With the best weights.
        trained: How training ended.
        examiner: Who chose the epoch.
        corrections: What calibration added to weights, by their names.
        refitted: Whether it was trained on everything, once another one had been evaluated.
        ranker: What mixes its scores with those of other sources; None where it ranks alone.
    """

    corpus: C_co
    split: S_co
    model: Model
    trained: Trained
    examiner: Examiner
    corrections: Mapping[str, Tensor] = field(default_factory=dict)
    refitted: bool = False
    ranker: Ranker | None = None

    def fingerprint(self) -> str:
        """Of how the metric that chose the epoch was measured."""
        return self.examiner.protocol(self.model).fingerprint()


FittedLog = Fitted[EventCorpus, EventSplit]
FittedRows = Fitted[RowCorpus, RowSplit]


def on_log(fitted: Fitted[Corpus, Split]) -> FittedLog:
    """What was trained on a log, as such."""
    assert isinstance(fitted.corpus, EventCorpus) and isinstance(fitted.split, EventSplit)
    return cast("FittedLog", fitted)


def on_rows(fitted: Fitted[Corpus, Split]) -> FittedRows:
    """What was trained on rows, as such."""
    assert isinstance(fitted.corpus, RowCorpus) and isinstance(fitted.split, RowSplit)
    return cast("FittedRows", fitted)

"""References that bring events and content together without one model of both."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from intertask.cold.holdout import Targets
from intertask.cold.measures import Scorer
from intertask.data.counts import event_counts, interactions
from intertask.data.sequences import Sequences
from intertask.data.windows import cut_out

MOST_ITEMS = 8_000  # whose weights are items x items numbers
REGULARISATION = 300.0


@dataclass(frozen=True)
class EaseWithContent:
    """Summed weights from the items of a history, learned of events and of content at once.

    Source:
        Jeunen, Van Balen and Goethals, "Closed-form models for collaborative filtering with
        side-information" (2020), equation 6. Content weighs as much as the events of a trained item in the
        mean; neither this nor the regularisation is tuned.
    """

    weights: NDArray[np.float32]

    @classmethod
    def fit(cls, training: Sequences, content_IF: NDArray[np.float32]) -> "EaseWithContent | None":
        """Of the training events and content of length one; None for too many items."""
        if training.num_items > MOST_ITEMS:
            return None
        counts_I, had = event_counts(training), interactions(training)
        gram = (had.T @ had).toarray().astype(np.float64)
        content = content_IF.astype(np.float64)
        gram += counts_I[counts_I > 0].mean() * (content @ content.T)
        gram[np.diag_indices_from(gram)] += REGULARISATION
        weights = np.linalg.inv(gram)
        weights /= -np.diag(weights)
        np.fill_diagonal(weights, 0.0)
        return cls(weights.astype(np.float32))

    def score(self, targets: Targets, rows: NDArray[np.int64]) -> Tensor:
        """Of all items."""
        had = interactions(cut_out(targets.sequences, targets.windows[rows]))
        return torch.from_numpy(np.asarray(had @ self.weights, np.float32))


@dataclass(frozen=True)
class Summed:
    """Scores of a model of ids and of one of content, each in deviations of the history's, added up.

    The first knows nothing of cold items: it gives them its mean.
    """

    ids: Scorer
    content: Scorer

    def score(self, targets: Targets, rows: NDArray[np.int64]) -> Tensor:
        """Of all items."""
        warm_I, cold_I = torch.from_numpy(targets.warm_I), torch.from_numpy(targets.cold_I)
        total_BI: Tensor | None = None
        for scorer in (self.ids, self.content):
            scores_BI = scorer.score(targets, rows).float()
            known_BI = scores_BI[:, warm_I]
            scores_BI = (scores_BI - known_BI.mean(1, keepdim=True)) / known_BI.std(1, keepdim=True).clamp(
                1e-9
            )
            if scorer is self.ids:
                scores_BI[:, cold_I] = 0
            total_BI = scores_BI if total_BI is None else total_BI + scores_BI
        assert total_BI is not None
        return total_BI

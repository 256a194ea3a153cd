"""Vectors whose numbers are made uncorrelated, by what is known of training items alone.

The vectors of a pretrained encoder lie in a narrow cone: all products are alike until the mean is taken off
and the directions are made equally wide.

Source: Su et al., "Whitening sentence representations for better semantics and faster retrieval" (2021);
for recommendation: Zhang et al., "Are ID embeddings necessary? Whitening pre-trained text embeddings for
effective sequential recommendation" (2024).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_SHRINK = 1e-3  # of the mean variance: a direction in which nothing varies is not blown up


@dataclass(frozen=True)
class Whitening:
    """A shift and a linear map.

    Args:
        mean_E: float32, taken off.
        map_EP: float32, to the directions that vary most.
    """

    mean_E: NDArray[np.float32]
    map_EP: NDArray[np.float32]

    @classmethod
    def fit(cls, vectors_NE: NDArray[np.float32], width: int, *, scale: bool = True) -> "Whitening":
        """The map that makes these vectors uncorrelated.

        Args:
            vectors_NE: Of the training items.
            width: Directions that are kept; fewer where the vectors have no more.
            scale: Make the directions equally wide; if not, they are only turned.
        """
        vectors = vectors_NE.astype(np.float64)
        mean = vectors.mean(0) if len(vectors) else np.zeros(vectors.shape[1])
        centred = vectors - mean
        values, directions = np.linalg.eigh(centred.T @ centred / max(1, len(vectors)))
        kept = np.argsort(values)[::-1][: min(width, len(values))]
        values, directions = values[kept].clip(min=0), directions[:, kept]
        # The sign of an eigenvector is the library's whim: its largest part is made positive.
        directions *= np.where(directions[np.abs(directions).argmax(0), np.arange(len(kept))] < 0, -1, 1)
        wide = np.sqrt(values + _SHRINK * values.mean() + 1e-12) if scale else np.ones(len(kept))
        return cls(mean.astype(np.float32), (directions / wide).astype(np.float32))

    def __call__(self, vectors_NE: NDArray[np.float32]) -> NDArray[np.float32]:
        """[N, E] -> [N, P]."""
        return np.asarray((vectors_NE - self.mean_E) @ self.map_EP, np.float32)

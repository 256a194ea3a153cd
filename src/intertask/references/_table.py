"""Cells of rows as columns of numbers: each word that two training rows have is a column."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from intertask.data.rows import Rows


class Table:
    """Rows as columns of numbers, fitted on training rows.

    Args:
        rows: They.
        scaled: Tell numbers in standard deviations from the mean; as they are otherwise.
    """

    def __init__(self, rows: Rows, *, scaled: bool = True) -> None:
        from sklearn.preprocessing import OneHotEncoder

        numbers = self._numbers(rows)
        filled = ~np.isnan(numbers)
        counts = np.maximum(1, filled.sum(0))
        self.means = np.where(filled, numbers, 0).sum(0) / counts
        spread = np.sqrt((np.where(filled, numbers - self.means, 0) ** 2).sum(0) / counts)
        self.deviations = np.where((spread > 0) & scaled, spread, 1.0)
        self.farthest = 10.0 if scaled else np.inf
        self.words = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=2)
        if rows.categories:
            self.words.fit(self._categories(rows))

    def __call__(self, rows: Rows) -> sparse.csr_matrix:
        """The columns, [n, columns]."""
        numbers = self._numbers(rows)
        missing = np.isnan(numbers)
        told = np.where(missing, 0.0, (numbers - self.means) / self.deviations).clip(
            -self.farthest, self.farthest
        )
        parts = [sparse.csr_matrix(told), sparse.csr_matrix(missing.astype(np.float64))]
        if rows.categories:
            parts.append(self.words.transform(self._categories(rows)))
        return sparse.hstack(parts, format="csr")

    def _numbers(self, rows: Rows) -> NDArray[np.float64]:
        columns = [rows.inputs[name].to_numpy().astype(np.float64) for name in rows.numbers]
        return np.stack(columns, axis=1) if columns else np.zeros((len(rows), 0))

    def _categories(self, rows: Rows) -> NDArray[np.object_]:
        columns = [rows.inputs[name].fill_null("").to_numpy().astype(object) for name in rows.categories]
        return np.stack(columns, axis=1)

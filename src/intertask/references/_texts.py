"""Texts as columns of numbers: how often each word or pair of words occurs, the rare ones counting more."""

from typing import Any

import polars as pl
from scipy import sparse

from intertask.data.rows import Rows

MOST = 200_000  # words and pairs of a column of texts
STRETCH = 5.0  # rows of length 1 stand beside columns of deviation 1, under one penalty
SPACED = 0.5  # share of texts with white space from which on it parts words


class Texts:
    """TF-IDF of texts, fitted on training rows; of writing without spaces by one to three characters.

    Args:
        rows: They.
    """

    def __init__(self, rows: Rows) -> None:
        self.fitted = {name: _fitted(_whole(rows.inputs[name])) for name in rows.texts}

    def __call__(self, rows: Rows) -> list[sparse.csr_matrix]:
        """The columns of each column of texts."""
        return [
            own.transform(_whole(rows.inputs[name])) * STRETCH
            for name, own in self.fitted.items()
            if own is not None
        ]


def _fitted(texts: list[str]) -> Any:  # noqa: ANN401  (scikit-learn has no types)
    from sklearn.feature_extraction.text import TfidfVectorizer

    spaced = sum(" " in text for text in texts) >= SPACED * sum(len(text) > 1 for text in texts)
    how = (
        {"analyzer": "word", "ngram_range": (1, 2), "token_pattern": r"(?u)\b\w+\b"}
        if spaced
        else {"analyzer": "char", "ngram_range": (1, 3)}
    )
    for least in (2, 1):
        try:
            return TfidfVectorizer(min_df=least, sublinear_tf=True, max_features=MOST, **how).fit(texts)
        except ValueError:  # no word is left
            continue
    return None


def _whole(column: pl.Series) -> list[str]:
    """Each text in one piece; words are parted by spaces, single characters by nothing."""
    single = bool((column.list.eval(pl.element().str.len_chars() <= 1).list.all()).all())
    return column.list.join("" if single else " ").fill_null("").to_list()

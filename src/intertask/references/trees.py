"""Gradient-boosted trees: LightGBM where it is installed, scikit-learn's otherwise.

Source: Ke et al., "LightGBM: A Highly Efficient Gradient Boosting Decision Tree", NeurIPS 2017; they lead on
most tables (Grinsztajn et al., "Why do tree-based models still outperform deep learning on typical tabular
data?", NeurIPS 2022).
"""

import importlib.util
from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from intertask.data.rows import Rows
from intertask.references import Answered, Codes, Question, ReferenceConfig

LIGHTGBM = "lightgbm"
MOST_WORDS = 255  # of a column that scikit-learn's trees take for categories


class Config(ReferenceConfig):
    """Options of the trees; those left out are their libraries' own.

    Args:
        trees: At most; fewer where the validation rows say so (of LightGBM; scikit-learn takes a tenth of the
            training rows for that).
        learning_rate: Share of each tree's answer that is taken.
        patience: Stop after so many trees without a better loss.
        library: "auto" takes LightGBM where it is installed.
    """

    kind: Literal["trees"] = "trees"
    trees: int = Field(default=1_000, ge=1, le=100_000)
    learning_rate: float = Field(default=0.05, gt=0, le=1)
    patience: int = Field(default=50, ge=1, le=100_000)
    library: Literal["auto", "lightgbm", "sklearn"] = "auto"

    def answers(self, question: Question) -> bool:
        """Whether there are cells, as it reads no text."""
        return super().answers(question) and bool(question.rows.numbers or question.rows.categories)

    @property
    def note(self) -> str:
        """Which library it was."""
        return "LightGBM" if self._light else "scikit-learn's, as LightGBM is not installed"

    @property
    def _light(self) -> bool:
        found = importlib.util.find_spec(LIGHTGBM) is not None
        return self.library == "lightgbm" or (self.library == "auto" and found)

    def fit_one(self, training: Question, validation: Question, seed: int) -> Answered:
        """The trees."""
        codes = Codes.of(training.rows)
        given, checked = codes.read(training.rows), codes.read(validation.rows)
        if self._light:
            return _light(self, codes, given, checked, training, validation, seed)
        return _hist(self, codes, given, training, seed)


def _light(
    config: Config,
    codes: Codes,
    given: NDArray[np.float64],
    checked: NDArray[np.float64],
    training: Question,
    validation: Question,
    seed: int,
) -> Answered:
    from intertask.errors import RecipeError

    try:
        import lightgbm
    except (ImportError, OSError) as error:
        raise RecipeError(
            "references trees", "the package lightgbm", str(error), "pip install 'intertask[trees]'"
        ) from None
    first = given.shape[1] - len(codes.known)
    classes = training.num_classes
    options = {
        "objective": "regression" if classes is None else "binary" if classes == 2 else "multiclass",
        "learning_rate": config.learning_rate,
        "seed": seed % 2**31,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbosity": -1,
        **({"num_class": classes} if classes is not None and classes > 2 else {}),
    }
    columns = list(range(first, given.shape[1]))
    data = lightgbm.Dataset(
        given, training.truth, weight=training.weights, categorical_feature=columns, free_raw_data=False
    )
    held = lightgbm.Dataset(checked, validation.truth, weight=validation.weights, reference=data)
    stops: list[Callable[..., object]] = []
    if len(checked):
        stops.append(lightgbm.early_stopping(config.patience, verbose=False))
    model = lightgbm.train(
        options,
        data,
        config.trees if len(checked) else 100,
        [held] if len(checked) else None,
        callbacks=stops,
    )

    def answer(rows: Rows) -> NDArray[np.float32]:
        told = np.asarray(model.predict(codes.read(rows)), np.float32)
        return np.stack([1 - told, told], axis=1) if classes == 2 else told

    return answer


def _hist(
    config: Config, codes: Codes, given: NDArray[np.float64], training: Question, seed: int
) -> Answered:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    numbers = given.shape[1] - len(codes.known)
    grouped = [False] * numbers + [0 < size <= MOST_WORDS for size in codes.sizes]
    kind = HistGradientBoostingRegressor if training.num_classes is None else HistGradientBoostingClassifier
    model = kind(
        learning_rate=config.learning_rate,
        max_iter=config.trees,
        categorical_features=grouped,
        early_stopping=len(given) >= 100,
        n_iter_no_change=config.patience,
        random_state=seed % 2**31,
    )
    model.fit(given, training.truth, sample_weight=training.weights)
    told = model.predict if training.num_classes is None else model.predict_proba
    return lambda rows: np.asarray(told(codes.read(rows)), np.float32)

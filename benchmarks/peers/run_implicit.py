"""implicit: ALS and BPR at their defaults, for reference; neither reads sequences."""

import time

import measuring
import numpy as np
from exported import Exported
from implicit.als import AlternatingLeastSquares
from implicit.bpr import BayesianPersonalizedRanking
from implicit.cpu.matrix_factorization_base import MatrixFactorizationBase
from measuring import Found, Options
from scipy.sparse import csr_matrix

from ranking import K

FILE = "implicit"


def train(options: Options, data: Exported) -> Found:
    """Interactions per second, each of the library's iterations over all of them counted."""
    model, matrix, before = _model(options), _matrix(data), measuring.peak_mib()
    began = time.perf_counter()
    model.fit(matrix, show_progress=False)
    seconds = time.perf_counter() - began
    model.save(options.folder / f"{FILE}-{options.variant}.npz")
    targets = model.iterations * matrix.nnz
    return {
        "interactions_per_second": targets / seconds,
        "seconds": seconds,
        "targets": targets,
        "measured_epochs": model.iterations,
        "weights": model.user_factors.size + model.item_factors.size,
        "peak_before_training_mib": before,
    }


def evaluate(options: Options, data: Exported) -> Found:
    """Ten recommendations for every user, without what was seen."""
    model = type(_model(options)).load(options.folder / f"{FILE}-{options.variant}.npz")
    model.num_threads = options.threads
    matrix = _matrix(data)

    def recommend() -> dict[str, float]:
        users = data.target_users
        lists, _ = model.recommend(users, matrix[users], N=K, filter_already_liked_items=True)
        rows, places = np.nonzero(lists == data.target_items[:, None])
        return {
            "ndcg@10": float((1 / np.log2(places + 2)).sum() / len(users)),
            "hr@10": len(rows) / len(users),
        }

    return measuring.timed_twice(recommend)


def _model(options: Options) -> MatrixFactorizationBase:
    kinds = {"als": AlternatingLeastSquares, "bpr": BayesianPersonalizedRanking}
    return kinds[options.variant](factors=measuring.WIDTH, num_threads=options.threads, random_state=1)


def _matrix(data: Exported) -> csr_matrix:
    ones = np.ones(len(data.items), dtype=np.float32)
    return csr_matrix((ones, (data.users, data.items)), shape=(data.num_users, data.num_items))


if __name__ == "__main__":
    measuring.main({"train": train, "evaluate": evaluate})

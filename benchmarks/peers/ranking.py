"""One evaluation for every library: rank of the target among all items, history masked, ties lost."""

from collections.abc import Callable

import numpy as np
from exported import Exported
from numpy.typing import NDArray

Score = Callable[[NDArray[np.int64]], NDArray[np.float32]]

K = 10
USERS_AT_ONCE = 256


def evaluate(data: Exported, score: Score) -> dict[str, float]:
    """NDCG@10 and HR@10 of the validation targets that do not stand in their history.

    Args:
        data: Histories and targets.
        score: Scores of all items, [users, items], for some users after their last training event; -inf
            for items that the library does not know.
    """
    found = []
    for start in range(0, len(data.target_users), USERS_AT_ONCE):
        here = slice(start, start + USERS_AT_ONCE)
        found.append(_ranks(data, data.target_users[here], data.target_items[here], score))
    ranks = np.concatenate(found)
    hits = ranks <= K
    return {"ndcg@10": float((hits / np.log2(ranks + 1)).mean()), "hr@10": float(hits.mean())}


def _ranks(
    data: Exported, users: NDArray[np.int64], targets: NDArray[np.int64], score: Score
) -> NDArray[np.int64]:
    scores_BI = np.array(score(users), dtype=np.float32)
    if scores_BI.shape != (len(users), data.num_items) or np.isnan(scores_BI).any():
        raise ValueError(f"scores of {len(users)} users x {data.num_items} items expected, without NaN")
    seen_BI = np.zeros(scores_BI.shape, dtype=bool)
    for row, user in enumerate(users.tolist()):
        seen_BI[row, data.history(user)] = True
    rows = np.arange(len(users))
    own_B = scores_BI[rows, targets]
    scores_BI[seen_BI] = -np.inf
    # The target itself is among those that are not below it, which makes the best rank 1.
    ranks: NDArray[np.int64] = (scores_BI >= own_B[:, None]).sum(1)
    return ranks[~seen_BI[rows, targets]]

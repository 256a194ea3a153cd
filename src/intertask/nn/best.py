"""The first places of a ranking, the same ones for every length of the list."""

from torch import Tensor


def best_items(scores_BI: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k highest scores of each row and their items; equal scores in the order of the items.

    `topk` alone leaves that order open, so that five items need not be the first five of ten.

    Args:
        scores_BI: Scores.
        k: Places; at most I are returned.

    Returns:
        values_BK, falling, and items_BK.
    """
    num_items = scores_BI.shape[1]
    k = min(k, num_items)
    # One place more shows a tie across the end of the list.
    best = scores_BI.topk(min(k + 1, num_items), dim=1)
    values, items = best.values, best.indices
    ties = ((values[:, :-1] == values[:, 1:]) & (values[:, 1:] > float("-inf"))).any(dim=1)
    values, items = values[:, :k].clone(), items[:, :k].clone()
    for row in ties.nonzero().flatten().tolist():
        among = (scores_BI[row] >= values[row, -1]).nonzero().flatten()
        ordered = scores_BI[row, among].sort(descending=True, stable=True)
        values[row], items[row] = ordered.values[:k], among[ordered.indices[:k]]
    return values, items

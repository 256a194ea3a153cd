"""How far items without a training event are raised: content alone scores them too low."""

from torch import Tensor


def raised(scores_BI: Tensor, fresh_I: Tensor, learned_I: Tensor, bonus: float) -> None:
    """Raise the scores of some items, in place.

    Args:
        scores_BI: Of all items.
        fresh_I: Those that are raised.
        learned_I: Those by whose scores a deviation is measured, in each history for itself.
        bonus: Deviations.
    """
    if not bonus or not len(scores_BI) or not bool(fresh_I.any()) or int(learned_I.sum()) < 2:
        return
    deviations_B1 = scores_BI[:, learned_I].std(1, keepdim=True)
    scores_BI[:, fresh_I] += bonus * deviations_B1

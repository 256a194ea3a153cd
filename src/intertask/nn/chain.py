"""Tags that follow one another: a score for each pair of neighbours beside that of each place.

Source: Lafferty et al., "Conditional Random Fields", ICML 2001; by dynamic programming.
"""

import torch
from torch import Tensor, nn


class Chain(nn.Module):
    """A conditional random field of one row of places.

    Args:
        num_tags: Tags.
    """

    def __init__(self, num_tags: int) -> None:
        super().__init__()
        self.first_T = nn.Parameter(torch.zeros(num_tags))
        self.last_T = nn.Parameter(torch.zeros(num_tags))
        self.next_TT = nn.Parameter(torch.zeros(num_tags, num_tags))

    def log_likelihood(self, scores_BLT: Tensor, tags_BL: Tensor, lengths_B: Tensor) -> Tensor:
        """Of each row's tags, [B]; behind its length a row holds anything that is a tag."""
        return self._score(scores_BLT, tags_BL, lengths_B) - self._total(scores_BLT, lengths_B)

    def _score(self, scores_BLT: Tensor, tags_BL: Tensor, lengths_B: Tensor) -> Tensor:
        real_BL = torch.arange(tags_BL.shape[1], device=tags_BL.device) < lengths_B[:, None]
        own_BL = scores_BLT.gather(2, tags_BL[..., None])[..., 0]
        pairs_BL = self.next_TT[tags_BL[:, :-1], tags_BL[:, 1:]]
        last_B = tags_BL.gather(1, lengths_B[:, None] - 1)[:, 0]
        inner = (own_BL * real_BL).sum(1) + (pairs_BL * real_BL[:, 1:]).sum(1)
        return self.first_T[tags_BL[:, 0]] + inner + self.last_T[last_B]

    def _total(self, scores_BLT: Tensor, lengths_B: Tensor) -> Tensor:
        sums_BT = self.first_T + scores_BLT[:, 0]
        for place in range(1, scores_BLT.shape[1]):
            step_BT = (sums_BT[:, :, None] + self.next_TT).logsumexp(1) + scores_BLT[:, place]
            sums_BT = torch.where((place < lengths_B)[:, None], step_BT, sums_BT)
        return (sums_BT + self.last_T).logsumexp(1)

    def best(self, scores_BLT: Tensor, lengths_B: Tensor) -> Tensor:
        """The likeliest tags of each row, [B, L]; behind its length anything."""
        best_BT = self.first_T + scores_BLT[:, 0]
        before: list[Tensor] = []
        for place in range(1, scores_BLT.shape[1]):
            step_BT, from_BT = (best_BT[:, :, None] + self.next_TT).max(1)
            real_B1 = (place < lengths_B)[:, None]
            own_T = torch.arange(step_BT.shape[1], device=step_BT.device)
            before.append(torch.where(real_B1, from_BT, own_T))
            best_BT = torch.where(real_B1, step_BT + scores_BLT[:, place], best_BT)
        tag_B = (best_BT + self.last_T).argmax(1)
        tags = [tag_B]
        for from_BT in reversed(before):
            tag_B = from_BT.gather(1, tag_B[:, None])[:, 0]
            tags.append(tag_B)
        return torch.stack(tags[::-1], dim=1)

"""What two tokens that stand side by side say together, which a vector of each does not."""

import torch
from torch import Tensor, nn

from intertask.nn.item_table import INITIAL_DEVIATION

NONE = -1  # before the first token of a text, and behind its last
STEP = 1_000_003  # a prime, far above any vocabulary's share of a table


class Pairs(nn.Module):
    """A vector for each token of the pairs that it makes with its neighbours, looked up by their hash.

    Two pairs may share a row of the table. Where words are not spaced, a pair of characters is often a word.

    Source: Zhang and Yang, "Chinese NER Using Lattice LSTM", ACL 2018, section 3.1 (vectors of pairs);
    Weinberger et al., "Feature hashing for large scale multitask learning", ICML 2009.

    Args:
        size: Rows of the table.
        width: Of a vector.
    """

    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        self.table = nn.Embedding(size, width)
        nn.init.normal_(self.table.weight, std=INITIAL_DEVIATION)

    def forward(self, codes_BL: Tensor, real_BL: Tensor) -> Tensor:
        """[B, L] -> [B, L, D].

        Args:
            codes_BL: int64, of tokens.
            real_BL: Where there is one.
        """
        told_BL = codes_BL.masked_fill(~real_BL, NONE)
        edge_B1 = told_BL.new_full((len(told_BL), 1), NONE)
        wide = torch.cat([edge_B1, told_BL, edge_B1], 1)
        pairs = ((wide[:, :-1] + 1) * STEP + wide[:, 1:] + 1) % self.table.num_embeddings
        vectors: Tensor = self.table(pairs)
        return vectors[:, :-1] + vectors[:, 1:]

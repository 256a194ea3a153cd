"""What the letters of a word say: a convolution over them, and the largest of each number."""

from torch import Tensor, nn

from intertask.nn.item_table import INITIAL_DEVIATION


class Letters(nn.Module):
    """Reads words letter by letter.

    Source: Ma and Hovy, "End-to-end Sequence Labeling via Bi-directional LSTM-CNNs-CRF", ACL 2016,
    section 2.1.

    Args:
        num_codes: Letters, with none (0) and the unknown one (1).
        inner: Width of what is read.
        width: Of the result.
    """

    def __init__(self, num_codes: int, inner: int, width: int) -> None:
        super().__init__()
        self.table = nn.Embedding(num_codes, inner)
        self.convolution = nn.Conv1d(inner, inner, 3, padding=1)
        self.out = nn.Linear(inner, width)
        nn.init.normal_(self.out.weight, std=INITIAL_DEVIATION)

    def forward(self, letters_BLC: Tensor) -> Tensor:
        """A vector for each word, [B, L, C] -> [B, L, D]."""
        rows, length, count = letters_BLC.shape
        vectors_NDC = self.table(letters_BLC.view(-1, count)).transpose(1, 2)
        read_ND = self.convolution(vectors_NDC).amax(2).relu()
        return self.out(read_ND).view(rows, length, -1)  # type: ignore[no-any-return]

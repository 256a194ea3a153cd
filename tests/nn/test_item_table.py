import torch

from intertask.nn.item_table import ItemTable
from tests.worlds import seeded


def test_an_untrained_table_scores_all_items_nearly_alike():
    # Otherwise full cross-entropy would start far above log(items).
    with seeded():
        table = ItemTable(1000, 64)
        scores = torch.randn(1, 64) @ table.weight_ID.T
    assert scores.std() < 0.3


def test_the_vectors_of_some_items_are_rows_of_the_table():
    table = ItemTable(5, 3)
    assert torch.equal(table(torch.tensor([[4, 0]]))[0], table.weight_ID[[4, 0]])

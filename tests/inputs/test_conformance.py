"""What every input promises; a new file in the folder is tested by existing."""

import pytest
import torch

from intertask.data.seam import INPUT
from intertask.nn.item_table import ItemTable
from tests import worlds
from tests.assertions import (
    assert_batch_composition_ignored,
    assert_deterministic_in_eval,
    assert_every_weight_gets_gradient,
)

VARIANTS = worlds.variants("inputs")
SEQUENCES = worlds.varied()

every_input = pytest.mark.parametrize("config", VARIANTS.values(), ids=VARIANTS.keys())


def built(config):
    sizes = worlds.dimensions(SEQUENCES)
    with worlds.seeded():
        return config.build(sizes, ItemTable(sizes.num_items, sizes.width)).eval()


def read(embed, batch):
    return embed(batch.inputs[INPUT]).hidden_BLD


@every_input
def test_there_is_one_finite_vector_for_each_event(config):
    batch = worlds.batch(SEQUENCES)
    hidden = read(built(config), batch)
    assert hidden.shape == (*batch.inputs[INPUT].items_BL.shape, 8)
    assert hidden.isfinite().all()


@every_input
def test_batch_composition_does_not_change_vectors(config):
    embed, windows = built(config), worlds.whole(SEQUENCES)

    def run(rows):
        batch = worlds.training_batch(SEQUENCES, windows[torch.tensor(rows).numpy()])
        return [
            vectors[:length]
            for vectors, length in zip(read(embed, batch), batch.inputs[INPUT].lengths_B, strict=True)
        ]

    assert_batch_composition_ignored(run, SEQUENCES.num_users)


@every_input
def test_every_weight_gets_a_gradient(config):
    embed = built(config)
    hidden = read(embed, worlds.batch(SEQUENCES))
    assert_every_weight_gets_gradient(embed, (hidden * torch.arange(8)).sum())


@every_input
def test_eval_is_deterministic(config):
    embed, batch = built(config), worlds.batch(SEQUENCES)
    assert_deterministic_in_eval(embed, lambda: read(embed, batch))

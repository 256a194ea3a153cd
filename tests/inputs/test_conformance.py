"""What every input promises of the data that it reads; a new file in the folder is tested by existing."""

from collections.abc import Callable
from dataclasses import replace

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
from tests.samples.clinic import clinic
from tests.samples.reviews import reviews

from .pictures import bars
from .sounds import tunes
from .windows import waves

VARIANTS = worlds.variants("inputs")
SEQUENCES = worlds.varied()
OF_ROWS = {  # what each input of rows reads here
    "table": clinic(40),
    "image": bars(6),
    "audio": tunes(),
    "series": waves(6),
    "text": reviews(12),
}

every_input = pytest.mark.parametrize("config", VARIANTS.values(), ids=VARIANTS.keys())


def built(config):
    """The input, and what it reads of some rows."""
    sizes = worlds.dimensions(SEQUENCES)
    fields: Callable[[list[int]], object]
    if (rows := OF_ROWS.get(config.kind)) is not None:
        reader = config.fit(rows)
        sizes, read = replace(sizes, fields={INPUT: reader}), reader.read(rows)
        count, fields = len(rows), lambda rows: read.take(torch.tensor(rows).numpy())
    else:
        windows = worlds.whole(SEQUENCES)
        count = SEQUENCES.num_users

        def fields(rows):
            return worlds.training_batch(SEQUENCES, windows[torch.tensor(rows).numpy()]).inputs[INPUT]

    with worlds.seeded():
        return config.build(sizes, ItemTable(sizes.num_items, sizes.width)).eval(), fields, count


@every_input
def test_there_is_one_finite_vector_for_each_place(config):
    embed, fields, count = built(config)
    given = fields(list(range(count)))
    hidden = embed(given).hidden_BLD
    assert hidden.shape == (count, int(given.lengths_B.max()), 8)
    assert hidden.isfinite().all()


@every_input
def test_batch_composition_does_not_change_vectors(config):
    embed, fields, count = built(config)

    def run(rows):
        given = fields(rows)
        pairs = zip(embed(given).hidden_BLD, given.lengths_B, strict=True)
        return [vectors[:length] for vectors, length in pairs]

    if config.kind in OF_ROWS:  # whose rows may be of one length
        together = run(list(range(count)))
        assert all(torch.allclose(run([row])[0], together[row], atol=1e-5) for row in range(count))
    else:
        assert_batch_composition_ignored(run, count)


@every_input
def test_every_weight_gets_a_gradient(config):
    embed, fields, count = built(config)
    hidden = embed(fields(list(range(count)))).hidden_BLD
    assert_every_weight_gets_gradient(embed, (hidden * torch.arange(8)).sum())


@every_input
def test_eval_is_deterministic(config):
    embed, fields, count = built(config)
    assert_deterministic_in_eval(embed, lambda: embed(fields(list(range(count)))).hidden_BLD)

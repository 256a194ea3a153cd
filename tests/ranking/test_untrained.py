import numpy as np
import scipy.sparse

from intertask.data.sequences import from_lists
from intertask.rankers.blend import Blend
from intertask.ranking import Ranker, lends
from intertask.signals.constant import Constant
from intertask.signals.repeats import Repeats
from tests.ranking import test_ranker as ranked

IDLE = np.array([False, False, True, True])


def said_by(histories, said, signals=None):
    """What a mixture reads, where nobody was trained on the last two of four items."""
    signals = {"popularity": Constant(np.array(said, np.float32)), "repeat": Repeats(2.0)} | (signals or {})
    blend = Blend(tuple(signals), np.zeros(0, np.int64), np.ones((1, len(signals)), np.float32))
    ranker = Ranker(signals, {}, {}, IDLE)
    return ranker.say(blend, from_lists(histories, 4, [[0] * len(own) for own in histories], None), {})


def test_an_untrained_item_is_read_as_the_best_of_the_others_of_its_history():
    told = said_by([[0, 1, 2], [0, 1], [0, 2]], [1.0, 5.0, 0.0, 0.0])["popularity"]
    assert np.allclose(told, np.log1p([[1, 5, 5, 0], [1, 5, 0, 0], [1, 5, 1, 0]]))


def test_where_nothing_else_is_in_the_history_or_nobody_is_untrained_nothing_is_lent():
    alone = said_by([[2, 3]], [1.0, 5.0, 0.0, 0.0])["popularity"]
    assert np.allclose(alone, np.log1p([1, 5, 0, 0]))


def test_repeats_and_facts_lend_nothing():
    repeat = said_by([[0, 0, 2]], [1.0, 5.0, 0.0, 0.0])["repeat"]
    assert scipy.sparse.issparse(repeat) and repeat[0, 0] != repeat[0, 2]
    assert not lends("item/age", {}) and lends("model/next", {})


def test_what_somebody_has_just_had_is_found_though_no_event_trained_it():
    """The last item but one comes again, though all sources but one say the least of it."""
    model = ranked.trained()
    ranker = model.answerer.ranker
    mixer = ranker.mixers["next", "kept"]
    histories = from_lists([[1, 2, 25, 3]], len(model.answerer.reader.items), [[0] * 4], None)
    logits = {"next": np.zeros((1, histories.num_items), np.float32)}
    logits |= {"buys": logits["next"]}
    idle = np.zeros(histories.num_items, bool)
    idle[25] = True
    signals = {
        name: own if name == "repeat" else Constant(np.where(idle, 0, 9).astype(np.float32))
        for name, own in ranker.signals.items()
    }
    places = {}
    for read in (None, idle):
        own = Ranker(signals, {}, {}, read)
        total = mixer.total(own.say(mixer, histories, logits), histories.lengths)
        places[read is None] = int((total[0] >= total[0, 25]).sum())
    assert places[False] <= 3 < places[True]

import torch

from intertask.nn.layout import Layout
from intertask.nn.time_bias import TimeBias

LAYOUT = Layout(torch.tensor([[0, 8, 8]]), torch.tensor([[8, 8, 40]]))


def bias_of(query_time):
    bias = TimeBias(1, query_time=query_time)
    with torch.no_grad():
        bias.bias.weight.copy_(torch.arange(32.0)[:, None])  # each bucket shows its number
    return bias(LAYOUT)[0, 0].tolist()


def test_history_measures_from_the_event_of_the_position():
    assert bias_of(query_time=False) == [[0, 0, 0], [3, 0, 0], [3, 0, 0]]


def test_query_measures_from_the_moment_that_is_asked_about():
    assert bias_of(query_time=True) == [[3, 0, 0], [3, 0, 0], [5, 5, 5]]


def test_it_starts_as_nothing():
    assert (TimeBias(2, query_time=False)(LAYOUT) == 0).all()

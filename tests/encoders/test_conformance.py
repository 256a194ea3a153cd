"""What every encoder promises; a new file in the folder is tested by existing."""

from dataclasses import replace

import pytest
import torch
from torch.nn.utils.rnn import pad_sequence

from intertask.encoders import EncoderConfig
from intertask.errors import RecipeError
from intertask.model import ModelConfig
from intertask.nn.layout import Layout
from intertask.options.config import config_class, kinds, parse
from tests import worlds
from tests.assertions import (
    assert_batch_composition_ignored,
    assert_causal,
    assert_deterministic_in_eval,
    assert_every_weight_gets_gradient,
    assert_looks_back,
    assert_padding_ignored,
    assert_same,
)

VARIANTS = worlds.variants("encoders")
LENGTHS = [5, 1, 3, 5, 2]
WIDTH = 8

LOOKING = {name: config for name, config in VARIANTS.items() if config.kind != "none"}
looking = pytest.mark.parametrize("config", LOOKING.values(), ids=LOOKING.keys())
WHOLE = {
    name: config.model_copy(update={"direction": "both"})
    for name, config in VARIANTS.items()
    if "both" in config.directions
}
whole = pytest.mark.parametrize("config", WHOLE.values(), ids=WHOLE.keys())
every_variant = pytest.mark.parametrize("config", VARIANTS.values(), ids=VARIANTS.keys())


def built(config: EncoderConfig) -> torch.nn.Module:
    with worlds.seeded():
        encoder = config.build(worlds.dimensions(width=WIDTH))
        for weight in encoder.parameters():  # what starts at zero must not hide a mistake
            torch.nn.init.normal_(weight, std=0.5)
    return encoder.eval()


def numbers(seed: int, rows: int = len(LENGTHS), length: int = max(LENGTHS)) -> torch.Tensor:
    return torch.randn(rows, length, WIDTH, generator=torch.Generator().manual_seed(seed))


def layout(rows: int = len(LENGTHS), length: int = max(LENGTHS), seed: int = 0) -> Layout:
    gaps = torch.randint(
        0, 10 * worlds.DAY, (rows, length + 1), generator=torch.Generator().manual_seed(seed)
    )
    times = gaps.cumsum(1)
    return Layout(times[:, :-1], times[:, 1:])


def causal(config: EncoderConfig, encoder: torch.nn.Module) -> None:
    """Hidden states and times change together; the moment that a position is asked about stays known."""
    times = layout()
    stacked = [
        torch.cat([numbers(seed), events.times_BL[..., None].double()], dim=-1)
        for seed, events in ((0, times), (1, layout(seed=1)))
    ]

    def run(events_BLX: torch.Tensor) -> torch.Tensor:
        seen = Layout(events_BLX[..., -1].long(), times.query_times_BL)
        return encoder(events_BLX[..., :-1].float(), seen)

    assert_causal(run, *stacked)


@every_variant
def test_future_events_do_not_change_past_states(config):
    if config.causal:
        causal(config, built(config))


@looking
def test_a_state_remembers_the_first_event(config):
    encoder = built(config)
    assert_looks_back(lambda hidden: encoder(hidden, layout()), numbers(0), numbers(1))


@every_variant
def test_padding_does_not_change_states(config):
    encoder = built(config)
    assert_padding_ignored(
        lambda hidden: encoder(hidden, layout()), numbers(0), torch.tensor(LENGTHS), 100 * numbers(1)
    )


@every_variant
def test_batch_composition_does_not_change_states(config):
    encoder, hidden, times = built(config), numbers(0), layout()

    def run(rows):
        def padded(values):
            return pad_sequence([values[row, : LENGTHS[row]] for row in rows], batch_first=True)

        seen = Layout(padded(times.times_BL), padded(times.query_times_BL))
        states = encoder(padded(hidden), seen)
        return [state[: LENGTHS[row]] for state, row in zip(states, rows, strict=True)]

    assert_batch_composition_ignored(run, len(LENGTHS))


@pytest.mark.parametrize("config", [*VARIANTS.values(), *WHOLE.values()])
def test_rows_seen_whole_ignore_padding_and_each_other(config):
    encoder, times = built(config), layout()
    lengths = torch.tensor(LENGTHS)

    def run(hidden):
        return encoder(hidden, replace(times, lengths_B=lengths, causal=False))

    together, padded = run(numbers(0)), run(100 * numbers(1) * padding(lengths) + numbers(0))
    for row, length in enumerate(LENGTHS):
        own = (values[row : row + 1, :length] for values in (times.times_BL, times.query_times_BL))
        alone = encoder(numbers(0)[row : row + 1, :length], Layout(*own, causal=False))[0]
        assert_same(together[row, :length], alone, "states of a row among others", 1e-5)
        assert_same(padded[row, :length], alone, "states of a row whose padding is large", 1e-5)


def padding(lengths):
    return (torch.arange(max(LENGTHS)) >= lengths[:, None])[..., None].float()


@whole
def test_a_place_of_a_row_seen_whole_sees_the_last_one(config):
    if config.kind == "none":
        return
    encoder, seen = built(config), replace(layout(), causal=False)
    changed = numbers(0)
    changed[:, -1] = numbers(1)[:, -1]
    assert ((encoder(changed, seen) - encoder(numbers(0), seen))[:, 0].abs().amax(-1) > 1e-4).all()


@pytest.mark.parametrize("kind", kinds("encoders"))
def test_an_encoder_that_cannot_look_ahead_says_so(kind):
    config = config_class("encoders", kind, "tests")
    if "both" in config.directions:
        assert not config(direction="both").causal and config(direction="past").causal
        return
    with pytest.raises(RecipeError, match="expected direction = 'past', the only one"):
        parse(config, {"kind": kind, "direction": "both"}, "[encoder]")


@looking
def test_every_weight_gets_a_gradient(config):
    encoder = built(config)
    states = encoder(numbers(0), layout())
    assert_every_weight_gets_gradient(encoder, (states * numbers(1)).sum())


@every_variant
def test_eval_is_deterministic(config):
    encoder = built(config)
    assert_deterministic_in_eval(encoder, lambda: encoder(numbers(0), layout()))


@looking
def test_dropout_acts_in_training_alone(config):
    encoder = built(config)
    calm = encoder(numbers(0), layout())
    with worlds.seeded():
        assert not torch.allclose(encoder.train()(numbers(0), layout()), calm)


@every_variant
def test_a_single_event_is_encoded(config):
    encoder = built(config)
    states = encoder(numbers(0, 2, 1), layout(2, 1))
    assert states.shape == (2, 1, WIDTH) and states.isfinite().all()
    assert not torch.allclose(states[0], states[1])


@every_variant
def test_the_clock_matters_where_it_is_used_and_nowhere_else(config):
    encoder = built(config)
    one, other = (encoder(numbers(0), layout(seed=seed)) for seed in (0, 1))
    assert torch.equal(one, other) != config.uses_times


@every_variant
def test_the_query_time_matters_on_its_own_track_alone(config):
    encoder, times = built(config), layout()
    later = Layout(times.times_BL, times.query_times_BL + 1000 * worlds.DAY)
    one, other = (encoder(numbers(0), seen) for seen in (times, later))
    assert torch.equal(one, other) != config.uses_query_time


LEARNERS = {
    name: config
    for name, config in worlds.variants("encoders", dropout=0.0, num_layers=1).items()
    if not config.uses_query_time
    and config.kind != "none"  # the events of these worlds are a day apart, and so are the questions
}
learners = pytest.mark.parametrize("config", LEARNERS.values(), ids=LEARNERS.keys())


def learnt(config: EncoderConfig, train: list[list[int]], test: list[list[int]], steps: int) -> float:
    recipe = {"width": 16, "max_length": 10, "encoder": config, "input": {"kind": "events", "dropout": 0.0}}
    return worlds.learnt_hit_rate(ModelConfig.model_validate(recipe), train, test, steps)


@learners
def test_every_encoder_solves_a_chain_that_popularity_cannot(config):
    train, test = (worlds.chain(12, users, 10, seed) for seed, users in ((1, 48), (2, 100)))
    assert worlds.popularity_hit_rate(train, test) < 0.3
    assert learnt(config, train, test, 40) > 0.95


@learners
def test_every_encoder_solves_a_world_where_the_last_item_says_nothing(config):
    train, test = (worlds.two_chains(8, users, 10, seed) for seed, users in ((1, 100), (2, 100)))
    assert worlds.popularity_hit_rate(train, test) < 0.3
    assert learnt(config, train, test, 80) > 0.8  # by the last item alone: 1 / 8


@learners
def test_no_encoder_beats_a_guess_on_noise(config):
    train, test = (worlds.noise(12, users, 10, seed) for seed, users in ((1, 48), (2, 300)))
    guess = 1 / 12
    assert learnt(config, train, test, 40) < guess + 4 * (guess * (1 - guess) / len(test)) ** 0.5

from hypothesis import given
from hypothesis import strategies as st

from intertask.options.seeds import derive, generator

NAMES = st.lists(st.one_of(st.sampled_from(["order", "step"]), st.integers(0, 5)), max_size=3)


def test_seeds_are_the_same_on_every_machine():
    # `printf 1/step/7 | b2sum -l 64`, little end first, without the last bit.
    assert derive(1, "step", 7) == 478615924629461588


@given(st.integers(0, 2**40), NAMES)
def test_a_seed_fits_what_torch_and_numpy_take(seed, names):
    assert 0 <= derive(seed, *names) < 2**63


@given(st.integers(0, 99), st.integers(0, 99), NAMES, NAMES)
def test_different_purposes_have_different_streams(seed, other, names, others):
    same = (seed, [*map(str, names)]) == (other, [*map(str, others)])
    assert (derive(seed, *names) == derive(other, *others)) == same


def test_generators_depend_on_their_name_alone():
    first = generator(1, "order", 3).random(4)
    generator(1, "noise").random(100)
    assert (generator(1, "order", 3).random(4) == first).all()
    assert (generator(1, "order", 4).random(4) != first).all()

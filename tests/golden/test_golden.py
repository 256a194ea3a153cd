"""A change that changes no behaviour changes no number here."""

import math

import pytest

from tests.golden import world

# Processors sum in different orders; a change of behaviour moves a loss by far more.
TOLERANCE = 1e-5


def differences(pinned, found, where=""):
    """Where what was found is not what was pinned. Keys that are new are no difference."""
    if isinstance(pinned, dict) and isinstance(found, dict):
        for key, value in pinned.items():
            if key in found:
                yield from differences(value, found[key], f"{where}/{key}")
            else:
                yield f"{where}/{key} is missing"
    elif isinstance(pinned, list) and isinstance(found, list) and len(pinned) == len(found):
        for place, (left, right) in enumerate(zip(pinned, found, strict=True)):
            yield from differences(left, right, f"{where}/{place}")
    elif isinstance(pinned, float) and isinstance(found, int | float):
        if not math.isclose(pinned, found, rel_tol=TOLERANCE, abs_tol=TOLERANCE):
            yield f"{where}: {pinned} became {found}"
    elif pinned != found:
        yield f"{where}: {pinned} became {found}"


@pytest.mark.filterwarnings("ignore::UserWarning")  # small logs are warned of, which is not what is pinned
@pytest.mark.parametrize("name", world.NAMES)
def test_a_fixed_log_gives_the_losses_weights_lists_and_figures_it_always_gave(name, tmp_path):
    found = list(differences(world.read(name), world.outcome(name, tmp_path)))
    assert not found, "\n".join(found[:20])


def test_there_are_worlds():
    assert len(world.NAMES) >= 5


@pytest.mark.parametrize(
    "found",
    [{"a": [1.0, 2.001], "b": "x"}, {"a": [1.0], "b": "x"}, {"a": [1.0, 2.0], "b": "y"}, {"a": [1.0, 2.0]}],
)
def test_a_difference_is_seen(found):
    assert list(differences({"a": [1.0, 2.0], "b": "x"}, found))


def test_what_is_new_or_within_the_tolerance_is_no_difference():
    assert not list(differences({"a": [1.0]}, {"a": [1.0 + 1e-7], "b": 1}))

import pytest

from intertask.communication.adatt import Config
from tests.communication.direct import (
    INNER,
    PLACES,
    TASKS,
    as_published_or_residual,
    assert_equals,
    built,
    mixed,
    say,
)


@as_published_or_residual
@pytest.mark.parametrize("num_levels", [1, 2])
def test_it_equals_the_equations_of_the_paper(num_levels, residual):
    mechanism = built(Config(num_levels=num_levels, num_own=2, inner=INNER, residual=residual))

    def states(x):
        own = [x] * len(TASKS)
        for level in mechanism.levels:
            said = [[say(level.experts, task, number, own[task]) for number in range(2)] for task in PLACES]
            native = [
                sum(level.own[task][number] * said[task][number] for number in range(2)) for task in PLACES
            ]
            everyone = [*said[0], *said[1], *said[2]]
            own = [
                native[task]
                + mixed(level.gate[task].flatten(0, 1) @ own[task], everyone)
                - residual * own[task]
                for task in PLACES
            ]
        return own

    assert_equals(mechanism, states)

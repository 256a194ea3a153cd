from intertask.communication.mmoe import Config
from tests.communication.direct import (
    INNER,
    TASKS,
    as_published_or_residual,
    assert_equals,
    built,
    mixed,
    say,
)


@as_published_or_residual
def test_it_equals_the_equations_of_the_paper(residual):
    mechanism = built(Config(num_experts=4, inner=INNER, residual=residual))

    def states(x):
        said = [say(mechanism.experts, 0, number, x) for number in range(4)]
        return [mixed(mechanism.gate[task] @ x, said) for task in range(len(TASKS))]

    assert_equals(mechanism, states)

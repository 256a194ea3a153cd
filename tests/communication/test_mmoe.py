from intertask.communication.mmoe import Config
from tests.communication.direct import INNER, TASKS, assert_equals, built, mixed, say


def test_it_equals_the_equations_of_the_paper():
    mechanism = built(Config(num_experts=4, inner=INNER))

    def states(x):
        said = [say(mechanism.experts, 0, number, x) for number in range(4)]
        return [mixed(mechanism.gate[task] @ x, said) for task in range(len(TASKS))]

    assert_equals(mechanism, states)

from intertask.communication.none import Config
from tests.communication.direct import (
    INNER,
    TASKS,
    as_published_or_residual,
    assert_equals,
    built,
    say,
    vectors,
)


@as_published_or_residual
def test_a_state_is_what_the_own_expert_says(residual):
    mechanism = built(Config(inner=INNER, residual=residual))
    assert_equals(mechanism, lambda x: [say(mechanism.experts, task, 0, x) for task in range(len(TASKS))])


def test_a_task_hears_nothing_of_the_others():
    mechanism = built(Config(inner=INNER))
    mechanism(vectors())[:, :, 1].sum().backward()
    for weight in mechanism.parameters():
        assert weight.grad[[0, 2]].abs().max() == 0 < weight.grad[1].abs().max()

import torch

from intertask.communication.stem import Config
from tests.communication.direct import (
    INNER,
    PLACES,
    as_published_or_residual,
    assert_equals,
    built,
    mixed,
    say,
    vectors,
)


@as_published_or_residual
def test_a_state_is_a_gate_over_the_experts_of_all_tasks_and_the_shared_ones(residual):
    mechanism = built(Config(num_own=2, num_shared=2, inner=INNER, residual=residual))
    (level,) = mechanism.levels

    def states(x):
        said = [say(level.own, task, number, x) for task in PLACES for number in range(2)]
        said += [say(level.shared, 0, number, x) for number in range(2)]
        reads = [torch.cat([level.own_gate[task].flatten(0, 1), level.shared_gate[task]]) for task in PLACES]
        return [mixed(reads[task] @ x, said) for task in PLACES]

    assert_equals(mechanism, states)


def test_a_task_reads_the_experts_of_others_and_does_not_push_on_them():
    mechanism, hidden = built(Config(inner=INNER)), vectors()
    (level,) = mechanism.levels
    before = mechanism(hidden)
    before[:, :, 1].sum().backward()
    assert level.own.up.grad[[0, 2]].abs().max() == 0 < level.own.up.grad[1].abs().max()
    with torch.no_grad():
        level.own.down[2] += 1.0
    assert not torch.allclose(mechanism(hidden)[:, :, 1], before[:, :, 1])

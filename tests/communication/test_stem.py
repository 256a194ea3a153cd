import pytest
import torch

from intertask.communication.stem import Config
from tests.communication.direct import (
    INNER,
    PLACES,
    TASKS,
    as_published_or_residual,
    assert_equals,
    built,
    mixed,
    say,
    vectors,
)


@as_published_or_residual
@pytest.mark.parametrize("num_levels", [1, 2, 3])
def test_a_state_is_a_gate_over_the_experts_of_all_tasks_and_the_shared_ones(num_levels, residual):
    mechanism = built(Config(num_levels=num_levels, num_own=2, num_shared=2, inner=INNER, residual=residual))

    def states(x):
        own, shared = [x] * len(TASKS), x
        for level in mechanism.levels:
            said = [say(level.own, task, number, own[task]) for task in PLACES for number in range(2)]
            said += [say(level.shared, 0, number, shared) for number in range(2)]
            reads = [
                torch.cat([level.own_gate[task].flatten(0, 1), level.shared_gate[task]]) for task in PLACES
            ]
            own = [mixed(reads[task] @ own[task], said) for task in PLACES]
            if level.upward_own is not None:
                shared = mixed(torch.cat([*level.upward_own, level.upward_shared]) @ shared, said)
        return own

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

import pytest
import torch

from intertask.communication.ple import Config
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
def test_it_equals_the_equations_of_the_paper(num_levels, residual):
    mechanism = built(Config(num_levels=num_levels, num_own=2, num_shared=2, inner=INNER, residual=residual))

    def states(x):
        own, shared = [x] * len(TASKS), x
        for level in mechanism.levels:
            said = [[say(level.own, task, number, own[task]) for number in range(2)] for task in PLACES]
            common = [say(level.shared, 0, number, shared) for number in range(2)]
            reads = [torch.cat([level.own_gate[task], level.shared_gate[task]]) for task in PLACES]
            above = [mixed(reads[task] @ own[task], said[task] + common) for task in PLACES]
            if level.upward_own is not None:
                everything = torch.cat([*level.upward_own, level.upward_shared])
                shared = mixed(everything @ shared, [*said[0], *said[1], *said[2], *common])
            own = above
        return own

    assert_equals(mechanism, states)


def test_a_task_of_one_level_reads_and_pushes_on_its_own_and_the_shared_experts_alone():
    mechanism = built(Config(inner=INNER))
    mechanism(vectors())[:, :, 1].sum().backward()
    (level,) = mechanism.levels
    assert level.own.up.grad[[0, 2]].abs().max() == 0 < level.own.up.grad[1].abs().max()
    assert level.shared.up.grad.abs().max() > 0

import torch

from intertask.communication.aitm import Config
from tests.communication.direct import (
    INNER,
    TASKS,
    WIDTH,
    as_published_or_residual,
    assert_equals,
    built,
    mixed,
    say,
    vectors,
)


@as_published_or_residual
def test_it_equals_the_equations_of_the_paper(residual):
    mechanism = built(Config(inner=INNER, residual=residual))

    def states(x):
        states = [say(mechanism.towers, 0, 0, x)]
        for task in range(1, len(TASKS)):
            own, heard = say(mechanism.towers, task, 0, x), mechanism.transfers[task - 1](states[-1]).relu()
            first, second, third = (weight.T for weight in mechanism.maps[task - 1])
            logits = [(first @ u) @ (second @ u) / WIDTH**0.5 for u in (own, heard)]
            values = [third @ u + residual * u for u in (own, heard)]
            states.append(mixed(logits, values))
        return states

    assert_equals(mechanism, states)


def test_a_task_reads_the_ones_before_it_and_none_behind():
    mechanism, hidden = built(Config(inner=INNER)), vectors()
    before = mechanism(hidden)
    with torch.no_grad():
        mechanism.towers.down[1] += 1.0
    changed = (mechanism(hidden) - before).abs().amax((0, 1, 3)) > 1e-6
    assert changed.tolist() == [False, True, True]

import torch

from intertask.communication.cross_stitch import Config
from tests.communication.direct import (
    INNER,
    TASKS,
    as_published_or_residual,
    assert_equals,
    built,
    say,
    vectors,
)


def test_it_begins_near_identity():
    stitch = built(Config(own=0.8)).stitch
    torch.testing.assert_close(stitch.detach(), torch.full((3, 3), 0.1) + 0.7 * torch.eye(3))


def test_one_task_keeps_its_state_whole():
    assert built(Config(own=0.8), ("buy",)).stitch.tolist() == [[1.0]]


@as_published_or_residual
def test_a_state_is_the_stitched_sum_of_what_the_experts_say(residual):
    mechanism = built(Config(inner=INNER, residual=residual))
    with torch.no_grad():
        mechanism.stitch.copy_(torch.tensor([[0.5, 0.4, -0.2], [0.0, 1.0, 0.3], [0.1, 0.2, 0.9]]))

    def states(x):
        said = [say(mechanism.experts, task, 0, x) for task in range(len(TASKS))]
        return [sum(share * own for share, own in zip(row, said, strict=True)) for row in mechanism.stitch]

    assert_equals(mechanism, states)


def test_it_tells_the_sizes_of_its_shares():
    mechanism = built(Config())
    with torch.no_grad():
        mechanism.stitch.copy_(torch.tensor([[0.5, 0.3, -0.2], [0.0, 1.0, 0.0], [1.0, 1.0, 2.0]]))
    heard = mechanism.exchange(vectors())
    expected = torch.tensor([[0.5, 0.3, 0.2], [0.0, 1.0, 0.0], [0.25, 0.25, 0.5]])
    torch.testing.assert_close(heard.shares_BLTS.detach(), expected.expand(2, 3, 3, 3))

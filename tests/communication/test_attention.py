import torch
from torch import nn

from intertask.communication.attention import Config
from tests import worlds

TASKS = ("a", "b", "c")
WIDTH = 8


def built(num_heads=2):
    with worlds.seeded():
        return Config(num_heads=num_heads).build(worlds.dimensions(width=WIDTH, tasks=TASKS)).eval()


def numbers():
    return torch.randn(2, 3, WIDTH, generator=torch.Generator().manual_seed(0))


def test_it_equals_torch_multihead_attention_over_the_tasks():
    mechanism, hidden = built(), numbers()
    reference = nn.MultiheadAttention(WIDTH, 2, batch_first=True)
    with torch.no_grad():
        reference.in_proj_weight.copy_(mechanism.project_in.weight)
        reference.in_proj_bias.copy_(mechanism.project_in.bias)
        reference.out_proj.weight.copy_(mechanism.project_out.weight)
        reference.out_proj.bias.copy_(mechanism.project_out.bias)
        own = torch.stack([hidden + hidden @ private for private in mechanism.private], dim=2)
        asked = mechanism.norm(own).flatten(0, 1)  # one row a position, one place a task
        expected = own + reference(asked, asked, asked)[0].view_as(own)
        torch.testing.assert_close(mechanism(hidden), expected)


def test_tasks_begin_near_the_shared_state_but_not_at_it():
    mechanism, hidden = built(), numbers()
    private = torch.einsum("bld,tde->blte", hidden, mechanism.private)
    assert 0.01 < private.norm() / hidden[:, :, None].expand_as(private).norm() < 0.3


def test_a_task_reads_the_others():
    mechanism, hidden = built(), numbers()
    before = mechanism(hidden)
    with torch.no_grad():
        mechanism.private[2] += torch.eye(WIDTH).roll(1, 0)
    assert not torch.allclose(mechanism(hidden)[:, :, 0], before[:, :, 0])

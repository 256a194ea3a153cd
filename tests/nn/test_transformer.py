import pytest
import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from intertask.encoders.attention import Config as Attention
from intertask.nn.layout import Layout
from intertask.nn.transformer import GatedResidual, SelfAttention, SwiGLU, mask_of
from tests.worlds import dimensions, seeded

WIDTH = 4
PAST = Layout()


def numbers(seed=0):
    return torch.randn(2, 5, WIDTH, generator=torch.Generator().manual_seed(seed))


def attended(attention, hidden, bias, layout=PAST):
    return attention(hidden, mask_of(bias, layout, hidden.shape[1]), causal=layout.causal)


@pytest.mark.parametrize("biased", [False, True])
def test_causal_attention_equals_torch_multihead_attention(biased):
    with seeded():
        attention = SelfAttention(WIDTH, 2, 0.0)
        reference = nn.MultiheadAttention(WIDTH, 2, batch_first=True)
        bias = torch.randn(2, 2, 5, 5)
    with torch.no_grad():
        reference.in_proj_weight.copy_(attention.project_in.weight)
        reference.in_proj_bias.copy_(attention.project_in.bias)
        reference.out_proj.weight.copy_(attention.project_out.weight)
        reference.out_proj.bias.copy_(attention.project_out.bias)
        future = torch.ones(5, 5).triu(1).bool()
        mask = (bias if biased else torch.zeros_like(bias)).masked_fill(future, float("-inf")).flatten(0, 1)
        expected = reference(numbers(), numbers(), numbers(), attn_mask=mask)[0]
        torch.testing.assert_close(attended(attention, numbers(), bias if biased else None), expected)


@pytest.mark.parametrize("biased", [False, True])
def test_attention_over_whole_rows_equals_torch_multihead_attention_without_padding(biased):
    with seeded():
        attention = SelfAttention(WIDTH, 2, 0.0)
        bias = torch.randn(2, 2, 5, 5) if biased else None
    lengths = torch.tensor([3, 5])
    whole = attended(attention, numbers(), bias, Layout(lengths_B=lengths, causal=False))
    for row, length in enumerate(lengths.tolist()):
        own = None if bias is None else bias[row : row + 1, :, :length, :length]
        alone = attended(attention, numbers()[row : row + 1, :length], own, Layout(causal=False))
        torch.testing.assert_close(whole[row, :length], alone[0])
    changed = numbers()
    changed[1, 4] += 1.0  # the last place of the long row
    moved = attended(attention, changed, bias, Layout(lengths_B=lengths, causal=False)) - whole
    assert (moved[1].abs().amax(1) > 1e-4).all() and not moved[0].any()


def test_a_closed_gate_lets_nothing_through_and_an_open_one_all():
    residual = GatedResidual(WIDTH)
    for bias, share in ((-1e4, 0.0), (1e4, 1.0)):
        nn.init.zeros_(residual.gate.weight)
        nn.init.constant_(residual.gate.bias, bias)
        torch.testing.assert_close(residual(numbers(), numbers(1)), numbers() + share * numbers(1))


def test_swiglu_equals_its_formula():
    with seeded():
        feed = SwiGLU(WIDTH, 6)
    one, two, bias = feed.gate.weight, feed.up.weight, (feed.gate.bias, feed.up.bias)
    gate = numbers() @ one.T + bias[0]
    expected = feed.down(gate * torch.sigmoid(gate) * (numbers() @ two.T + bias[1]))
    torch.testing.assert_close(feed(numbers()), expected)


def test_the_fused_kernel_attends_as_the_formula_does():
    attention = SelfAttention(8, 2, 0.0)
    hidden = torch.randn(3, 5, 8, generator=torch.Generator().manual_seed(0))
    with sdpa_kernel(
        SDPBackend.FLASH_ATTENTION
    ):  # on CUDA it takes no mask, so that a time bias is not fused there
        fused = attended(attention, hidden, None)
    with sdpa_kernel(SDPBackend.MATH):
        torch.testing.assert_close(attended(attention, hidden, None), fused)
        torch.testing.assert_close(attended(attention, hidden, torch.zeros(3, 2, 5, 5)), fused)


def test_in_bfloat16_the_stack_and_its_gradients_are_those_of_float32_but_for_rounding():
    """As on CUDA, where training multiplies in bfloat16 so that attention is fused; it rounds at 2**-8."""
    with seeded():
        stack = Attention(dropout=0.0, attention_dropout=0.0).build(dimensions(width=32))
        hidden = torch.randn(4, 20, 32, requires_grad=True)
        wanted = torch.randn(4, 20, 32)

    def run(low):
        with torch.autocast("cpu", torch.bfloat16, enabled=low):
            out = stack(hidden, Layout(None, None))
        loss = (out.float() * wanted).mean()
        return [out.float().detach(), *torch.autograd.grad(loss, [hidden, *stack.parameters()])]

    for low, high in zip(run(True), run(False), strict=True):
        assert (low - high).norm() < 0.03 * high.norm()

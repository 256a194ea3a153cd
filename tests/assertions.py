"""Properties as a library: each takes the thing under test as a function, and fails where the claim does.

An encoder, a mechanism or a whole model passes its claim in; what the claim means is written once, here.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

# Matrix products of other shapes add in another order; float32 keeps seven digits of numbers near 1.
TOLERANCE = 1e-5


def assert_same(found: Tensor, expected: Tensor, claim: str, tolerance: float = TOLERANCE) -> None:
    """Equal up to rounding."""
    assert found.shape == expected.shape, f"{claim}: shapes {tuple(found.shape)}, {tuple(expected.shape)}"
    assert expected.isfinite().all(), f"{claim}: nothing can be told of what is not finite"
    difference = (found - expected).abs().max().item() if found.numel() else 0.0
    assert difference <= tolerance, f"{claim}: off by {difference:.3g}"


def assert_causal(run: Callable[[Tensor], Tensor], inputs_BLX: Tensor, changed_BLX: Tensor) -> None:
    """A change from some position on never changes an output before it, and does change one from there on.

    Args:
        run: Inputs to outputs, [B, L, ...] to [B, L, ...].
        inputs_BLX: Some inputs.
        changed_BLX: Others that differ at every position.
    """
    before_BLY = run(inputs_BLX)
    for position in range(1, inputs_BLX.shape[1]):
        mixed = torch.cat([inputs_BLX[:, :position], changed_BLX[:, position:]], dim=1)
        after_BLY = run(mixed)
        assert_same(
            after_BLY[:, :position], before_BLY[:, :position], f"outputs before a change at {position}", 1e-6
        )
        late = (after_BLY[:, position:] - before_BLY[:, position:]).abs().max()
        assert late > 1e-4, f"a change at {position} is never noticed: the claim would be empty"


def assert_looks_back(run: Callable[[Tensor], Tensor], inputs_BLX: Tensor, changed_BLX: Tensor) -> None:
    """The last output depends on the first position."""
    mixed = torch.cat([changed_BLX[:, :1], inputs_BLX[:, 1:]], dim=1)
    difference = (run(mixed)[:, -1] - run(inputs_BLX)[:, -1]).abs().max()
    assert difference > 1e-5, "the first event is forgotten by the last one"


def assert_positionwise(run: Callable[[Tensor], Tensor], hidden_BLD: Tensor) -> None:
    """A change at one position changes the outputs at that position, and no others."""
    before_BLY = run(hidden_BLD)
    for position in range(hidden_BLD.shape[1]):
        changed_BLD = hidden_BLD.clone()
        changed_BLD[:, position] += 1 + torch.arange(hidden_BLD.shape[-1])
        differs_L = (run(changed_BLD) - before_BLY).abs().flatten(2).amax((0, 2)) > 1e-6
        assert differs_L.nonzero().flatten().tolist() == [position]


def assert_batch_composition_ignored(
    run: Callable[[list[int]], Sequence[Tensor]], num_rows: int, tolerance: float = TOLERANCE
) -> None:
    """A row's output is the same alone, among others however long, and in another order.

    Args:
        run: Which rows share a batch, to their outputs without padding, in that order.
        num_rows: How many rows there are; of several lengths, so that some are padded.
        tolerance: For sums in another order.
    """
    together = run(list(range(num_rows)))
    assert len({len(output) for output in together}) > 1, "rows of one length are never padded"
    for row, output in enumerate(run(list(range(num_rows))[::-1])[::-1]):
        assert_same(output, together[row], f"row {row} in another order", tolerance)
    for row in range(num_rows):
        assert_same(run([row])[0], together[row], f"row {row} alone", tolerance)


def assert_padding_ignored(
    run: Callable[[Tensor], Tensor], padded_BLX: Tensor, lengths_B: Tensor, garbage_BLX: Tensor
) -> None:
    """What stands in the padding changes no output before it.

    Args:
        run: Inputs to outputs, [B, L, ...] to [B, L, ...].
        padded_BLX: Inputs, padded on the right.
        lengths_B: Real positions of each row.
        garbage_BLX: What takes the place of the padding.
    """
    real_BL = torch.arange(padded_BLX.shape[1]) < lengths_B[:, None]
    assert not real_BL.all(), "nothing is padded"
    spread = real_BL.view(*real_BL.shape, *[1] * (padded_BLX.ndim - 2))
    other = run(torch.where(spread, padded_BLX, garbage_BLX))
    assert_same(other[real_BL], run(padded_BLX)[real_BL], "outputs of other padding", 1e-6)


def assert_every_weight_gets_gradient(module: nn.Module, loss: Tensor) -> None:
    """Each parameter that is learnt gets a finite gradient that is not zero."""
    module.zero_grad()
    loss.backward()
    grads = {name: weight.grad for name, weight in module.named_parameters() if weight.requires_grad}
    missing = [name for name, grad in grads.items() if grad is None or not grad.abs().max() > 0]
    assert not missing, f"no gradient: {missing}"
    endless = [name for name, grad in grads.items() if grad is not None and not grad.isfinite().all()]
    assert not endless, f"a gradient that is not finite: {endless}"


def assert_deterministic_in_eval(module: nn.Module, run: Callable[[], Tensor]) -> None:
    """In eval mode two calls give the same bits and draw no random number; in training dropout acts."""
    module.eval()
    state = torch.random.get_rng_state()
    assert torch.equal(run(), run())
    assert torch.equal(torch.random.get_rng_state(), state), "random numbers are drawn in eval mode"


def assert_task_permutation_equivariant(
    module: nn.Module, run: Callable[[nn.Module], Tensor], num_tasks: int
) -> None:
    """Tasks in another order, their own weights with them, give the same states in that order.

    Args:
        module: In whose parameters each dimension of `num_tasks` is the tasks.
        run: The module to states [..., T, D].
        num_tasks: A number that is the size of nothing else.
    """
    before = run(module)
    order = torch.arange(num_tasks).roll(1)
    with torch.no_grad():
        for weight in module.parameters():
            for dimension, size in enumerate(weight.shape):
                if size == num_tasks:
                    weight.copy_(weight.index_select(dimension, order))
    assert_same(run(module), before[..., order, :], "states of tasks in another order")

import torch
from torch.nn import functional

from intertask.encoders.hstu import Config
from intertask.nn.layout import Layout
from intertask.nn.time_bias import NUM_BUCKETS
from intertask.nn.time_buckets import log_bucket
from tests import worlds

WIDTH, HEADS, LENGTH, LONGEST = 6, 2, 5, 3  # distances of three and more share one bias


def linear(layer, x):
    return functional.linear(x, layer.weight, layer.bias)


def test_a_layer_equals_equations_1_to_3_written_down_for_one_position_after_another():
    config = Config(num_layers=1, num_heads=HEADS, dropout=0.0, time_bias="history")
    with worlds.seeded():
        encoder = config.build(worlds.dimensions(width=WIDTH, max_length=LONGEST)).eval()
        for weight in encoder.parameters():
            torch.nn.init.normal_(weight, std=0.5)
        hidden = torch.randn(LENGTH, WIDTH)
    (layer,) = encoder.layers
    times = torch.tensor([0, 10, 500, 90_000, 90_001])
    size = WIDTH // HEADS

    def split(x):  # equation 1: U, V, Q and K, all of one linear map
        return functional.silu(linear(layer.project_in, layer.norm_in(x))).split([WIDTH] * 4)

    expected = []
    for now in range(LENGTH):
        gate, query, *_ = split(hidden[now])
        read = torch.zeros(WIDTH)
        for before in range(now + 1):
            _, _, key, value = split(hidden[before])
            gap = log_bucket((times[now] - times[before])[None], NUM_BUCKETS)
            for head in range(HEADS):
                own = slice(head * size, (head + 1) * size)
                score = query[own] @ key[own]
                score = score + layer.position_bias[head, min(now - before, LONGEST - 1)]
                score = score + encoder.time_bias.bias.weight[gap, head].squeeze()
                read[own] += functional.silu(score) * value[own] / (now + 1)  # equation 2
        expected.append(hidden[now] + linear(layer.project_out, layer.norm_out(read) * gate))  # equation 3
    found = encoder(hidden[None], Layout(times[None], None))[0]
    torch.testing.assert_close(found, encoder.norm(torch.stack(expected)))

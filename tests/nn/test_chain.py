"""Sequences of tags: sums and the best one, against all sequences counted out."""

from itertools import pairwise, product

import torch

from intertask.nn.chain import Chain

TAGS, LENGTHS = 3, torch.tensor([4, 2, 1])


def built() -> tuple[Chain, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    chain = Chain(TAGS)
    with torch.no_grad():
        for weight in chain.parameters():
            weight.copy_(torch.randn(weight.shape, generator=generator))
    return chain, torch.randn(3, 4, TAGS, generator=generator)


def score(chain: Chain, scores: torch.Tensor, tags: tuple[int, ...]) -> float:
    first, last, pair = chain.first_T.detach(), chain.last_T.detach(), chain.next_TT.detach()
    own = sum(float(scores[place, tag]) for place, tag in enumerate(tags))
    pairs = sum(float(pair[one, other]) for one, other in pairwise(tags))
    return own + pairs + float(first[tags[0]] + last[tags[-1]])


def test_likelihoods_sum_to_one_and_the_best_is_the_largest():
    chain, scores = built()
    best = chain.best(scores, LENGTHS)
    for row, length in enumerate(LENGTHS.tolist()):
        every = list(product(range(TAGS), repeat=length))
        tags = torch.zeros(len(every), 4, dtype=torch.int64)
        tags[:, :length] = torch.tensor(every)
        told = chain.log_likelihood(
            scores[row].expand(len(every), -1, -1), tags, torch.full((len(every),), length)
        )
        torch.testing.assert_close(told.exp().sum(), torch.tensor(1.0), atol=1e-5, rtol=1e-5)
        own = torch.tensor([score(chain, scores[row], other) for other in every])
        torch.testing.assert_close(told, own - own.logsumexp(0), atol=1e-5, rtol=1e-5)
        assert tuple(best[row, :length].tolist()) == every[int(own.argmax())]


def test_what_stands_behind_a_row_changes_nothing():
    chain, scores = built()
    tags = torch.randint(0, TAGS, (3, 4), generator=torch.Generator().manual_seed(1))
    told = chain.log_likelihood(scores, tags, LENGTHS)
    other, spoilt = tags.clone(), scores.clone()
    for row, length in enumerate(LENGTHS.tolist()):
        other[row, length:], spoilt[row, length:] = 0, 9.0
    torch.testing.assert_close(chain.log_likelihood(spoilt, other, LENGTHS), told)

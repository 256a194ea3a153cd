"""Taggers that were trained apart, asked together: their scores are added, and the likeliest tags are told.

    python benchmarks/tags_together.py RUN ... [--shares 0 0.5 1 1.5] [--again 0.3 --within 300]

The runs are of one recipe's data and split, each with a conditional random field. The scores of words and of
neighbours of the first run count once, those of each other one by a share, which is chosen on the validation
part by F1 of entities and the macro average over all tags; the test part is read once, for that choice and
for each run alone. The difference from the best run alone has a paired interval over rows.

With --again, words that begin with a capital take so large a share of what is said of the same word elsewhere
in the part, where it is near: each other place counts by exp(-distance / within), in words. Several of both
are tried on the validation part; rows must stand in the order of their documents.
"""

import argparse
import itertools
import json
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from intertask.answers.tags import Tags as Answer
from intertask.answers.tags import as_rows
from intertask.data.batches import plan
from intertask.data.seam import Batch
from intertask.metrics.bootstrap import difference_intervals
from intertask.nn.chain import Chain
from intertask.options.seeds import generator
from intertask.predictor import Predictor
from intertask.samples.answering import OF_SEQUENCES
from intertask.samples.corpus import RowCorpus
from intertask.tasks.tags import Config, Tags

Part = Literal["validation", "test"]
Way = tuple[
    tuple[float, ...], float, float
]  # shares of the runs; of a word elsewhere, and within which words
Scores = list[torch.Tensor]  # of each row, float32 [words, tags]
MOST_SCORED = 256  # rows at once
FEW = 0.1  # places near by count as none below this


@dataclass(frozen=True)
class Member:
    """A tagger and what it says of the words of both parts."""

    names: tuple[str, ...]
    chain: Chain
    scores: dict[Part, Scores]
    truth: dict[Part, NDArray[np.generic]]
    words: dict[Part, list[list[str]]]

    @classmethod
    def read(cls, run: Path) -> "Member":
        """The one of a run."""
        predictor = Predictor.load(run / "model")
        rows = RowCorpus.open(run / "corpus").rows
        split = predictor.recipe.split_rows(rows)
        ((name, config),) = predictor.recipe.tasks.items()
        task = predictor.model.task(name)
        if not isinstance(task, Tags) or task.chain is None or not isinstance(config, Config):
            raise SystemExit(f"{run}: expected one task of tags with crf = true, found {config.kind}")
        scores: dict[Part, Scores] = {}
        truth: dict[Part, NDArray[np.generic]] = {}
        words: dict[Part, list[list[str]]] = {}
        parts: tuple[Part, ...] = ("validation", "test")
        for part in parts:
            own = rows.take(split.part(part))
            truth[part] = config.labels(name, own, predictor.facts.answers[name])
            words[part] = own.inputs[own.texts[0]].to_list()
            read = predictor.facts.read(own)
            together = plan(read.lengths_B.numpy(), OF_SEQUENCES, None)
            found: Scores = [torch.empty(0)] * len(own)
            with torch.no_grad():
                for places in together:
                    states = predictor.model.read_of_rows(Batch(read.take(places).fields, {}))[name]
                    for row, state, length in zip(places, task.head(states[0]), states[1], strict=True):
                        found[int(row)] = state[: int(length)].float()
            scores[part] = found
        return cls(task.names, task.chain, scores, truth, words)


def again(own: Member, share: float, within: float) -> Member:
    """The same, where a word is also told by what is said of it elsewhere near by."""
    found: dict[Part, Scores] = {}
    for part, rows in own.scores.items():
        lengths = [len(row) for row in rows]
        said = torch.cat(rows).log_softmax(1).double()
        places: dict[str, list[int]] = defaultdict(list)
        words = (word for row, most in zip(own.words[part], lengths, strict=True) for word in row[:most])
        for place, word in enumerate(words):
            if len(word) > 1 and word[0].isupper():
                places[word.lower()].append(place)
        mixed = said.clone()
        for held in places.values():
            at = torch.tensor(held)
            near = torch.exp(-(at[:, None] - at).abs() / within).fill_diagonal_(0)
            count = near.sum(1, keepdim=True)
            own_share = share * count / (count + FEW)
            mixed[at] = (1 - own_share) * said[at] + own_share * (near.double() @ said[at]) / count.clamp(
                min=1e-9
            )
        found[part] = [*torch.split(mixed.float(), lengths)]
    return replace(own, scores=found)


def told(members: list[Member], shares: tuple[float, ...], part: Part) -> NDArray[np.generic]:
    """The likeliest tags of each row by all members together."""
    chain = Chain(len(members[0].names))
    with torch.no_grad():
        for name, own in chain.named_parameters():
            parts: list[torch.Tensor] = [one.chain.get_parameter(name) for one in members]
            own.copy_((torch.tensor(shares) @ torch.stack(parts).flatten(1)).view_as(own))
        found: list[list[str]] = []
        rows = list(zip(*(one.scores[part] for one in members), strict=True))
        for first in range(0, len(rows), MOST_SCORED):
            some = rows[first : first + MOST_SCORED]
            lengths = [min(map(len, row)) for row in some]
            scores = torch.zeros(len(some), max(1, *lengths), len(members[0].names))
            for place, (row, length) in enumerate(zip(some, lengths, strict=True)):
                for share, own in zip(shares, row, strict=True):
                    scores[place, :length] += share * own[:length]
            best = chain.best(scores, torch.tensor(lengths)).tolist()
            found += [
                [members[0].names[code] for code in codes[:length]]
                for codes, length in zip(best, lengths, strict=True)
            ]
    return as_rows(found)


def main() -> None:
    """Choose on the validation part, and read the test part once."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--shares", nargs="+", type=float, default=[0.0, 0.5, 1.0, 1.5])
    parser.add_argument("--again", nargs="+", type=float, default=[0.0])
    parser.add_argument("--within", nargs="+", type=float, default=[300.0])
    options = parser.parse_args()
    members = [Member.read(run) for run in options.runs]
    if any(one.names != members[0].names for one in members):
        raise SystemExit("expected runs of the same tags, found others")
    answer = Answer()

    groups = {
        (share, near): [again(one, share, near) for one in members] if share else members
        for share in options.again
        for near in (options.within if share else options.within[:1])
    }

    def measured(way: Way, part: Part) -> dict[str, float]:
        return answer.measure(members[0].truth[part], told(groups[way[1:]], way[0], part))

    tried: dict[Way, float] = {}
    for others in itertools.product(options.shares, repeat=len(members) - 1):
        for share, near in groups:
            way = ((1.0, *others), share, near)
            found = measured(way, "validation")
            tried[way] = found["f1"] + found["macro_f1"]
            print(json.dumps({"validation": way[0], **beside(way)} | rounded(found)), flush=True)
    chosen = max(tried, key=lambda one: tried[one])
    print(json.dumps({"test": chosen[0], **beside(chosen)} | rounded(measured(chosen, "test"))))
    groups[0.0, 0.0] = members
    alone: list[Way] = [
        (tuple(float(one == place) for one in range(len(members))), 0.0, 0.0) for place in range(len(members))
    ]
    for way in alone:
        print(json.dumps({"test": way[0]} | rounded(measured(way, "test"))))
    truth = members[0].truth["test"]
    best = max(alone, key=lambda one: measured(one, "validation")["f1"])
    both = [told(groups[way[1:]], way[0], "test") for way in (chosen, best)]
    values = [answer.qualities(truth, own)[:, None] for own in both]
    rows = np.arange(len(truth))
    gain = difference_intervals(values[0], values[1], rows, generator(1, "bootstrap"))
    shown = [round(float(one[0]), 4) for one in (gain.values, gain.lows, gain.highs)]
    print(json.dumps({"f1_above_best_alone": shown}))


def beside(way: Way) -> dict[str, float]:
    """How much of words near by, where any."""
    return {"again": way[1], "within": way[2]} if way[1] else {}


def rounded(found: dict[str, float]) -> dict[str, float]:
    """Figures with four places."""
    return {name: round(value, 4) for name, value in found.items()}


if __name__ == "__main__":
    main()

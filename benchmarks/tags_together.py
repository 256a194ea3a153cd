"""Taggers that were trained apart, asked together: their scores are added, and the likeliest tags are told.

    python benchmarks/tags_together.py RUN RUN ... [--shares 0 0.5 1 1.5]

The runs are of one recipe's data and split, each with a conditional random field. The scores of words and of
neighbours of the first run count once, those of each other one by a share, which is chosen on the validation
part by F1 of entities and the macro average over all tags; the test part is read once, for that choice and
for each run alone. The difference from the best run alone has a paired interval over rows.
"""

import argparse
import itertools
import json
from dataclasses import dataclass
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
Scores = list[torch.Tensor]  # of each row, float32 [words, tags]
MOST_SCORED = 256  # rows at once


@dataclass(frozen=True)
class Member:
    """A tagger and what it says of the words of both parts."""

    names: tuple[str, ...]
    chain: Chain
    scores: dict[Part, Scores]
    truth: dict[Part, NDArray[np.generic]]

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
        parts: tuple[Part, ...] = ("validation", "test")
        for part in parts:
            own = rows.take(split.part(part))
            truth[part] = config.labels(name, own, predictor.facts.answers[name])
            read = predictor.facts.read(own)
            together = plan(read.lengths_B.numpy(), OF_SEQUENCES, None)
            found: Scores = [torch.empty(0)] * len(own)
            with torch.no_grad():
                for places in together:
                    states = predictor.model.read_of_rows(Batch(read.take(places).fields, {}))[name]
                    for row, state, length in zip(places, task.head(states[0]), states[1], strict=True):
                        found[int(row)] = state[: int(length)].float()
            scores[part] = found
        return cls(task.names, task.chain, scores, truth)


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
    options = parser.parse_args()
    members = [Member.read(run) for run in options.runs]
    if any(one.names != members[0].names for one in members):
        raise SystemExit("expected runs of the same tags, found others")
    answer = Answer()

    def measured(shares: tuple[float, ...], part: Part) -> dict[str, float]:
        return answer.measure(members[0].truth[part], told(members, shares, part))

    tried = {}
    for others in itertools.product(options.shares, repeat=len(members) - 1):
        shares = (1.0, *others)
        found = measured(shares, "validation")
        tried[shares] = found["f1"] + found["macro_f1"]
        print(json.dumps({"validation": shares} | rounded(found)), flush=True)
    chosen = max(tried, key=lambda one: tried[one])
    print(json.dumps({"test": chosen} | rounded(measured(chosen, "test"))))
    alone = [tuple(float(one == place) for one in range(len(members))) for place in range(len(members))]
    for shares in alone:
        print(json.dumps({"test": shares} | rounded(measured(shares, "test"))))
    truth = members[0].truth["test"]
    best = max(alone, key=lambda one: measured(one, "validation")["f1"])
    values = [answer.qualities(truth, told(members, own, "test"))[:, None] for own in (chosen, best)]
    rows = np.arange(len(truth))
    gain = difference_intervals(values[0], values[1], rows, generator(1, "bootstrap"))
    shown = [round(float(one[0]), 4) for one in (gain.values, gain.lows, gain.highs)]
    print(json.dumps({"f1_above_best_alone": shown}))


def rounded(found: dict[str, float]) -> dict[str, float]:
    """Figures with four places."""
    return {name: round(value, 4) for name, value in found.items()}


if __name__ == "__main__":
    main()

"""Fine-tuning and prediction of tags, beside transformers' own Trainer and pipeline, in one run.

    python benchmarks/text_speed.py /folder/of/all-MiniLM-L6-v2 [--sentences 320] [--batch 32]

The same encoder, the same sentences of CoNLL-2003, float32, one thread, batches of as many sentences on
average. Seconds are of the processor, so that other programs on the machine count little. What makes the
difference: sentences of like length share a batch, so that hardly a place is padded, and no mask is made.
`transformers.Trainer` needs the package accelerate.

With all-MiniLM-L6-v2, 384 sentences and batches of 32, on two busy cores (2026-11-30): training 835 against
327 tokens a second, 2.55 times; prediction 2,658 against 1,243, 2.14 times.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from intertask.data.rows import Rows
from intertask.datasets.conll2003 import Config as Conll
from intertask.predictor import Predictor
from intertask.recipe import Recipe
from intertask.samples.corpus import RowCorpus
from intertask.samples.splits import Split
from intertask.samples.trainable import TrainableRows
from intertask.train.optimiser import Optimiser
from intertask.train.stream import Stream


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("encoder")
    parser.add_argument("--sentences", type=int, default=320)
    parser.add_argument("--batch", type=int, default=32)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = Conll().load(Path())
    rows = rows.take(np.random.default_rng(0).choice(14_041, options.sentences, replace=False))
    theirs_train, theirs_ask = theirs(options.encoder, rows, options.batch)
    ours_train, ours_ask = ours(options.encoder, rows, options.batch)
    found = {"sentences": len(rows), "batch": options.batch, "tokens": ours_train[1]}
    for what, one, other in (("training", ours_train, theirs_train), ("prediction", ours_ask, theirs_ask)):
        found[what] = {
            "intertask_tokens_per_second": round(one[1] / one[0], 1),
            "transformers_tokens_per_second": round(one[1] / other[0], 1),
            "ratio": round(other[0] / one[0], 2),
        }
    print(json.dumps(found, indent=1))


def ours(encoder: str, rows: Rows, batch: int) -> tuple[tuple[float, int], tuple[float, int]]:
    """Processor seconds and tokens of an epoch, and of answers to the same sentences."""
    recipe = Recipe.model_validate(
        {
            "width": 384,
            "communication": "none",
            "input": {"kind": "text", "pretrained": encoder, "max_tokens": 512},
            "tasks": {"tags": {"kind": "tags"}},
        }
    )
    some = np.arange(2)
    whole = Split(np.arange(len(rows)), some, some, "all rows train")
    parts = TrainableRows(recipe, RowCorpus(rows), whole, recipe.train, recipe.evaluation, 1)
    tokens = int(parts.feed.lengths.sum())
    stream = Stream(parts.model, parts.feed, max(1, batch * tokens // len(rows)))
    optimiser = Optimiser(parts.model, recipe.train)
    parts.model.train()

    def epoch() -> None:
        for places in stream.order(1, 0):
            optimiser.zero_grad()
            loss = torch.stack(list(parts.model.losses(stream.batch(places)).values())).sum()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.clip()
            optimiser.step(1e-5)

    trained = timed(epoch)
    model = Predictor(recipe)
    model._model = parts.model.eval()
    asked = rows.inputs.select("words")
    return (trained, tokens), (timed(lambda: model.predict(asked)), tokens)


def theirs(encoder: str, rows: Rows, batch: int) -> tuple[tuple[float, int], tuple[float, int]]:
    """The same of transformers."""
    from transformers import (
        AutoModelForTokenClassification,
        AutoTokenizer,
        DataCollatorForTokenClassification,
        Trainer,
        TrainingArguments,
        pipeline,
    )

    names = sorted({tag for tags in rows.labels["tags"].to_list() for tag in tags})
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    model = AutoModelForTokenClassification.from_pretrained(encoder, num_labels=len(names))
    data = [
        _labelled(tokenizer, words, [names.index(tag) for tag in tags])
        for words, tags in zip(rows.inputs["words"].to_list(), rows.labels["tags"].to_list(), strict=True)
    ]
    tokens = sum(len(own["input_ids"]) for own in data)
    with TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder,
            per_device_train_batch_size=batch,
            num_train_epochs=1,
            learning_rate=1e-5,
            report_to=[],
            save_strategy="no",
            logging_strategy="no",
            use_cpu=True,
            disable_tqdm=True,
        )
        trainer = Trainer(model, arguments, DataCollatorForTokenClassification(tokenizer), data)
        trained = timed(trainer.train)
    asked = [" ".join(words) for words in rows.inputs["words"].to_list()]
    ask = pipeline("token-classification", model=model.eval(), tokenizer=tokenizer, batch_size=batch)
    return (trained, tokens), (timed(lambda: list(ask(asked))), tokens)


def _labelled(tokenizer: Any, words: list[str], codes: list[int]) -> dict[str, list[int]]:  # noqa: ANN401
    own = tokenizer(words, is_split_into_words=True, truncation=True)
    labels, last = [], None
    for word in own.word_ids():
        labels.append(-100 if word is None or word == last else codes[word])
        last = word
    return {"input_ids": own["input_ids"], "attention_mask": own["attention_mask"], "labels": labels}


def timed(work: Callable[[], object]) -> float:
    """Processor seconds of some work."""
    began = time.process_time()
    work()
    return time.process_time() - began


if __name__ == "__main__":
    main()

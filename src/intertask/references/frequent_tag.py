"""The tag that each word has most often in training, that of all words where it is new."""

from collections import Counter
from typing import Literal

import numpy as np

from intertask.answers.tags import as_rows
from intertask.data.rows import Rows
from intertask.references import Answered, Question, ReferenceConfig


class Config(ReferenceConfig):
    """No options; it answers tasks of tags alone."""

    kind: Literal["frequent_tag"] = "frequent_tag"

    def answers(self, question: Question) -> bool:
        """Whether it is asked for lists of tags of the words of one text."""
        told = question.truth
        tags = told.dtype.kind == "O" and len(told) > 0 and isinstance(told[0], list)
        return tags and len(question.rows.texts) == 1

    def fit_one(self, training: Question, validation: Question, seed: int) -> Answered:
        """The tag of each word."""
        often: dict[str, Counter[str]] = {}
        for words, tags in zip(_words(training.rows), training.truth, strict=True):
            for word, tag in zip(words, tags, strict=False):
                often.setdefault(word, Counter())[tag] += 1
        every = sum(often.values(), Counter())
        usual = _most(every)
        known = {word: _most(own) for word, own in often.items()}

        def answer(rows: Rows) -> np.ndarray:
            return as_rows([[known.get(word, usual) for word in words] for words in _words(rows)])

        return answer


def _words(rows: Rows) -> list[list[str]]:
    lists = [words or [] for words in rows.inputs[rows.texts[0]].to_list()]
    return [words[0].split() if len(words) == 1 else words for words in lists]


def _most(often: Counter[str]) -> str:
    return min(often, key=lambda tag: (-often[tag], tag))

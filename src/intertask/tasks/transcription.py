"""What is said, letter by letter: connectionist temporal classification over the places of a recording.

Source: Graves et al., "Connectionist Temporal Classification", ICML 2006. The loss is told by letter, so that
it weighs as much as other tasks', which are told by label.
"""

import warnings
from collections import Counter
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, StrictInt, StrictStr, model_validator
from scipy.special import entr
from torch import Tensor, nn
from torch.nn import functional

from intertask.answers import Answer
from intertask.answers.transcript import Transcript, require
from intertask.data.rows import Rows
from intertask.data.seam import Target
from intertask.errors import DataError
from intertask.nn.dimensions import Dimensions
from intertask.nn.item_table import Items
from intertask.options.config import Config as Section
from intertask.tasks._places import PlaceTask, PlaceTaskConfig
from intertask.tasks._rows import RowTarget
from intertask.tasks._search import Beam, Language, greedy

MOST_LETTERS, MOST_WORDS = 20_000, 200_000
MAY_NOT_FIT = 0.01  # share of rows that are left out with a warning; more are a mistake
Count = Annotated[StrictInt, Field(ge=1, lt=2**53)]


class Config(PlaceTaskConfig):
    """Options of a transcription.

    Args:
        search: "greedy" takes the likeliest letter of each place; "beam" the likeliest text; "lexicon" the
            likeliest text of the words of training transcripts and `words`, with a language model of pairs of
            training words.
        beam_width: Texts that a beam keeps.
        words: Further words of the lexicon.
        language_weight: How much the language model counts beside the sound.
        word_bonus: Added to the score of a text for each of its words.
        dropout: Share of the numbers of a state that training drops before the head.
    """

    kind: Literal["transcription"] = "transcription"
    search: Literal["greedy", "beam", "lexicon"] = "greedy"
    beam_width: int = Field(default=16, ge=1, le=1_000)
    words: tuple[Annotated[str, Field(min_length=1, max_length=200)], ...] = Field(
        default=(), max_length=MOST_WORDS
    )
    language_weight: float = Field(default=0.5, ge=0, le=100)
    word_bonus: float = Field(default=0.0, ge=-100, le=100)
    dropout: float = Field(default=0.1, ge=0, lt=1)

    @property
    def answer(self) -> Answer:
        """A text."""
        return Transcript()

    def known_answer(self, facts: Section) -> Answer:
        """A text."""
        return Transcript()

    def fit(self, name: str, rows: Rows) -> "Letters":
        """Letters and words of the training transcripts.

        Raises:
            RecipeError: There is no such label, or jiwer is not installed.
            DataError: No row has a transcript, or there are too many letters or words.
        """
        require()
        texts = [text for text in self.labels(name, rows, Section()) if text is not None]
        letters = Counter("".join(texts))
        words = Counter(word for text in texts for word in text.split())
        for count, most, what in ((len(letters), MOST_LETTERS, "letters"), (len(words), MOST_WORDS, "words")):
            if not 1 <= count <= most:
                raise DataError(
                    f"[tasks.{name}] label {self.column(name, rows)!r}",
                    f"transcripts of 1 to {most:,} different {what} among the training rows",
                    f"{count:,}",
                )
        pairs: dict[str, Counter[str]] = {}
        for text in texts:
            own = text.split()
            for before, word in zip(["", *own], own, strict=False):
                pairs.setdefault(before, Counter())[word] += 1
        ordered = sorted(letters)
        return Letters(
            letters=tuple(ordered),
            often=tuple(letters[letter] for letter in ordered),
            words=dict(sorted(words.items())),
            pairs={word: dict(sorted(own.items())) for word, own in sorted(pairs.items())},
        )

    def facts(self, table: object) -> "Letters":
        """The letters."""
        return Letters.model_validate(table)

    def labels(self, name: str, rows: Rows, facts: Section) -> NDArray[np.generic]:
        """Texts with single spaces; None where there is none."""
        column = rows.labels[self.column(name, rows)]
        if column.dtype.is_nested():
            raise DataError(f"[tasks.{name}] label {column.name!r}", "a text a row", "several labels")
        return np.array([None if text is None else " ".join(text.split()) for text in column], object)

    def target(self, labels: NDArray[np.generic], weights: NDArray[np.float32], facts: Section) -> "Spelt":
        """The texts as codes of letters; letters that training does not have are left out."""
        assert isinstance(facts, Letters)
        code_of = {letter: code for code, letter in enumerate(facts.letters, 1)}
        codes = [[code_of[own] for own in text or "" if own in code_of] for text in labels]
        whole = np.zeros((len(codes), max(map(len, codes), default=0)), np.int64)
        for row, own in zip(whole, codes, strict=True):
            row[: len(own)] = own
        lengths = np.array([len(own) for own in codes], np.int64)
        return Spelt(torch.from_numpy(whole), torch.from_numpy(lengths), torch.from_numpy(np.array(weights)))

    def fitting(self, name: str, target: RowTarget, places_B: Tensor) -> RowTarget:
        """The texts that fit: a place for each letter, and one more between two that are alike.

        Raises:
            DataError: More than a hundredth do not fit.
        """
        assert isinstance(target, Spelt)
        lacking = target.needed_B > places_B
        count = int(lacking.sum())
        if not count:
            return target
        first = int(lacking.nonzero()[0])
        found = (
            f"{count:,} of {len(places_B):,} training rows are longer, as one of "
            f"{int(target.needed_B[first])} letters at {int(places_B[first])} places"
        )
        expected = "transcripts with at most as many letters, and repeats, as the recording has places"
        hint = "set a smaller subsample in [input], or see whether texts and recordings belong together"
        if count > MAY_NOT_FIT * len(places_B):
            raise DataError(f"[tasks.{name}]", expected, found, hint)
        warnings.warn(f"task {name}: {found}, and are left out", stacklevel=2)
        return Spelt(target.codes_BS, target.lengths_B.masked_fill(lacking, 0), target.weights_B)

    def scale(self, facts: Section) -> float:
        """The entropy of the letters, in nats: about what guessing them costs by letter."""
        assert isinstance(facts, Letters)
        counts = np.array(facts.often, np.float64)
        return max(1e-3, float(entr(counts / counts.sum()).sum()))

    def build(self, name: str, dimensions: Dimensions, items: Items | None) -> "Transcription":
        """The head and its loss."""
        self.refuse_no_facts(name, dimensions)
        facts = dimensions.answers[name]
        assert isinstance(facts, Letters)
        return Transcription(self, facts, dimensions.width)


class Letters(Section):
    """What the transcripts of the training rows are made of.

    Args:
        letters: In the order of their codes, from 1 on.
        often: How often each occurs.
        words: How often each word does.
        pairs: Of each word those that follow it, with how often; "" is the beginning.
    """

    letters: tuple[Annotated[StrictStr, Field(min_length=1, max_length=1)], ...] = Field(
        min_length=1, max_length=MOST_LETTERS
    )
    often: tuple[Count, ...]
    words: dict[StrictStr, Count] = Field(min_length=1, max_length=MOST_WORDS)
    pairs: dict[StrictStr, dict[StrictStr, Count]] = Field(max_length=MOST_WORDS + 1)

    @model_validator(mode="after")
    def _each_once(self) -> "Letters":
        if len(set(self.letters)) < len(self.letters) or len(self.often) != len(self.letters):
            raise ValueError("each letter once, with its count")
        if any(not own for own in self.pairs.values()) or not set("".join(self.words)) <= set(self.letters):
            raise ValueError("words of these letters, and those that follow")
        return self


@dataclass(frozen=True)
class Spelt:
    """Texts as codes of letters.

    Args:
        codes_BS: int64, from 1 on; 0 behind the last letter.
        lengths_B: int64, letters; 0 where there is no text.
        weights_B: float32, how much each row counts.
    """

    codes_BS: Tensor
    lengths_B: Tensor
    weights_B: Tensor

    @property
    def known_B(self) -> Tensor:  # noqa: N802
        """Which rows have a text."""
        return self.lengths_B > 0

    @property
    def needed_B(self) -> Tensor:  # noqa: N802
        """Places that each text needs at least."""
        alike = (self.codes_BS[:, 1:] == self.codes_BS[:, :-1]) & (self.codes_BS[:, 1:] > 0)
        return self.lengths_B + alike.sum(1)

    def take(self, rows: NDArray[np.int64]) -> "Spelt":
        """Some of the rows."""
        places = torch.from_numpy(rows)
        return Spelt(self.codes_BS[places], self.lengths_B[places], self.weights_B[places])

    def to(self, device: torch.device) -> "Spelt":
        """The same on another device."""
        return Spelt(*(own.to(device) for own in (self.codes_BS, self.lengths_B, self.weights_B)))


class Transcription(PlaceTask):
    """A linear map from the state of each place to the letters and the blank.

    Args:
        config: Options.
        facts: The letters.
        width: Of a state.
    """

    def __init__(self, config: Config, facts: Letters, width: int) -> None:
        super().__init__()
        self.config, self.facts = config, facts
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(width, 1 + len(facts.letters))
        self.search = search(config, facts)

    def loss_of_places(self, states_BLD: Tensor, lengths_B: Tensor, target: Target) -> Tensor | None:
        """The mean over rows of the loss by letter."""
        assert isinstance(target, Spelt)
        known_B = target.known_B
        weights_B = target.weights_B[known_B]
        if not float(weights_B.sum()) > 0:
            return None
        logs_BLC = self.head(self.dropout(states_BLD[known_B])).float().log_softmax(-1)
        letters_B = target.lengths_B[known_B]
        losses_B = functional.ctc_loss(
            logs_BLC.transpose(0, 1),
            target.codes_BS[known_B],
            lengths_B[known_B],
            letters_B,
            reduction="none",
            zero_infinity=True,  # of a text that does not fit a recording that training plays faster
        )
        return (losses_B / letters_B * weights_B).sum() / weights_B.sum()

    def answer_of_places(self, states_BLD: Tensor, lengths_B: Tensor) -> NDArray[np.object_]:
        """The texts."""
        logs = self.head(states_BLD).float().log_softmax(-1).cpu().numpy()
        found = np.empty(len(logs), object)
        for row, (own, length) in enumerate(zip(logs, lengths_B.tolist(), strict=True)):
            letters = self.facts.letters
            found[row] = greedy(own[:length], letters) if self.search is None else self.search(own[:length])
        return found


def search(config: Config, facts: Letters) -> Beam | None:
    """How texts are found; None for the likeliest letters."""
    if config.search == "greedy":
        return None
    language = None
    if config.search == "lexicon":
        language = Language({**dict.fromkeys(config.words, 0), **facts.words}, facts.pairs)
    return Beam(facts.letters, config.beam_width, language, config.language_weight, config.word_bonus)

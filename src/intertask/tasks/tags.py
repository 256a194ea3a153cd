"""A tag for each word of a text, such as whether it belongs to a name: the words that an input has parted.

Of a word that the input cuts into pieces, the state of the first piece is read.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from pydantic import Field, StrictInt, StrictStr, model_validator
from scipy.special import entr
from torch import Tensor, nn
from torch.nn import functional

from intertask.answers import Answer
from intertask.answers.tags import Tags as TagsAnswer
from intertask.answers.tags import as_rows
from intertask.data.rows import Rows
from intertask.data.seam import Target
from intertask.errors import DataError, RecipeError
from intertask.nn.chain import Chain
from intertask.nn.dimensions import Dimensions
from intertask.nn.dropout import Dropout
from intertask.nn.item_table import Items
from intertask.options.config import Config as Section
from intertask.tasks._places import PlaceTask, PlaceTaskConfig

MOST_TAGS = 2_000
SHOWN = 8  # words of a text that a message shows


class Config(PlaceTaskConfig):
    """Options of tags.

    Args:
        crf: Learn which tags follow one another as well, and tell the likeliest sequence of tags: a
            conditional random field.
        dropout: Share of the numbers of a state that training drops before the head.
    """

    kind: Literal["tags"] = "tags"
    crf: bool = False
    dropout: float = Field(default=0.1, ge=0, lt=1)

    @property
    def answer(self) -> Answer:
        """A list of tags."""
        return TagsAnswer()

    def known_answer(self, facts: Section) -> Answer:
        """A list of tags."""
        return TagsAnswer()

    def fit(self, name: str, rows: Rows) -> "Known":
        """The tags that occur, by letter.

        Raises:
            RecipeError: There is no such label, or rows have one each.
            DataError: There are fewer than two tags or too many, or a row has not as many as words.
        """
        often = Counter(tag for own in self.labels(name, rows, Section()) for tag in own or ())
        if not 2 <= len(often) <= MOST_TAGS:
            raise DataError(
                f"[tasks.{name}] label {self.column(name, rows)!r}",
                f"2 to {MOST_TAGS:,} different tags among the training rows",
                f"{len(often):,}",
            )
        return Known(tags=tuple(sorted(often)), often=tuple(often[tag] for tag in sorted(often)))

    def facts(self, table: object) -> "Known":
        """The tags."""
        return Known.model_validate(table)

    def labels(self, name: str, rows: Rows, facts: Section) -> NDArray[np.generic]:
        """Lists of tags; None where a row has none.

        Raises:
            RecipeError: Rows have one label each.
            DataError: A row has not as many tags as words.
        """
        column = rows.labels[self.column(name, rows)]
        if not isinstance(column.dtype, pl.List):
            hint = f"say several = [{column.name!r}] in [data.rows], and its label_separator"
            raise RecipeError(f"[tasks.{name}]", "a list of tags a row", "one label a row", hint)
        _refuse_others(f"[tasks.{name}] label {column.name!r}", column, rows)
        told = np.empty(len(column), object)
        told[:] = [own or None for own in column.to_list()]
        return told

    def target(self, labels: NDArray[np.generic], weights: NDArray[np.float32], facts: Section) -> "Tagged":
        """The tags as codes."""
        assert isinstance(facts, Known)
        code_of = {tag: code for code, tag in enumerate(facts.tags)}
        codes = [[code_of[tag] for tag in own or ()] for own in labels]
        whole = np.full((len(codes), max(map(len, codes), default=0)), -1, np.int64)
        for row, own in zip(whole, codes, strict=True):
            row[: len(own)] = own
        return Tagged(torch.from_numpy(whole), torch.from_numpy(np.array(weights)))

    def scale(self, facts: Section) -> float:
        """The entropy of the tags, in nats."""
        assert isinstance(facts, Known)
        often = np.array(facts.often, np.float64)
        return max(1e-3, float(entr(often / often.sum()).sum()))

    def build(self, name: str, dimensions: Dimensions, items: Items | None) -> "Tags":
        """The head and its loss."""
        self.refuse_no_facts(name, dimensions)
        facts = dimensions.answers[name]
        assert isinstance(facts, Known)
        return Tags(facts.tags, dimensions.width, self.dropout, crf=self.crf)


def _refuse_others(where: str, column: pl.Series, rows: Rows) -> None:
    """Refuse rows that have not as many tags as their one text has words."""
    if len(rows.texts) != 1:
        return
    texts = rows.inputs[rows.texts[0]]
    plain = (
        texts.list.first().str.strip_chars().str.split(" ").list.eval(pl.element().filter(pl.element() != ""))
    )
    words = pl.select(pl.when(texts.list.len() == 1).then(plain).otherwise(texts)).to_series()
    wrong = (words.list.len().fill_null(0) != column.list.len()) & (column.list.len() > 0)
    if not wrong.any():
        return
    row = int(wrong.arg_max() or 0)
    own, tags = words.to_list()[row] or [], column.to_list()[row]
    shown = " ".join(own[:SHOWN])
    raise DataError(
        where,
        "a tag for each word",
        f"{len(tags)} tags for {len(own)} words, in {int(wrong.sum()):,} rows, as of {shown!r}",
        "part words and tags in the same way",
    )


class Known(Section):
    """The tags of the training rows.

    Args:
        tags: In the order of their codes.
        often: Words that have each.
    """

    tags: tuple[Annotated[StrictStr, Field(min_length=1, max_length=1_000)], ...] = Field(
        min_length=2, max_length=MOST_TAGS
    )
    often: tuple[Annotated[StrictInt, Field(ge=1, lt=2**53)], ...]

    @model_validator(mode="after")
    def _each_once(self) -> "Known":
        if len(set(self.tags)) < len(self.tags) or len(self.often) != len(self.tags):
            raise ValueError("each tag once, with its count")
        return self


@dataclass(frozen=True)
class Tagged:
    """Tags of the rows of a batch.

    Args:
        codes_BS: int64; -1 behind the last tag.
        weights_B: float32, how much each row counts.
    """

    codes_BS: Tensor
    weights_B: Tensor

    @property
    def known_B(self) -> Tensor:  # noqa: N802
        """Which rows have tags."""
        return (self.codes_BS >= 0).any(1)

    def take(self, rows: NDArray[np.int64]) -> "Tagged":
        """Some of the rows."""
        places = torch.from_numpy(rows)
        codes_BS = self.codes_BS[places]
        longest = int((codes_BS >= 0).sum(1).max()) if codes_BS.numel() else 0
        return Tagged(codes_BS[:, :longest], self.weights_B[places])

    def to(self, device: torch.device) -> "Tagged":
        """The same on another device."""
        return Tagged(self.codes_BS.to(device), self.weights_B.to(device))


class Tags(PlaceTask):
    """A linear map from the state of each word to its tags, and where asked their neighbours.

    Args:
        tags: In the order of their codes.
        width: Of a state.
        dropout: Before the map.
        crf: Whether neighbours count.
    """

    def __init__(self, tags: tuple[str, ...], width: int, dropout: float, *, crf: bool) -> None:
        super().__init__()
        self.names = tags
        self.dropout = Dropout(dropout)
        self.head = nn.Linear(width, len(tags))
        self.chain = Chain(len(tags)) if crf else None

    def loss_of_places(self, states_BLD: Tensor, lengths_B: Tensor, target: Target) -> Tensor | None:
        """Cross-entropy by word; words that were cut off teach nothing."""
        assert isinstance(target, Tagged)
        length = min(states_BLD.shape[1], target.codes_BS.shape[1])
        codes_BL = target.codes_BS[:, :length]
        steps_L = torch.arange(length, device=codes_BL.device)
        real_BL = (codes_BL >= 0) & (steps_L < lengths_B[:, None])
        weights_BL = real_BL * target.weights_B[:, None]
        total = weights_BL.sum()
        if not float(total) > 0:
            return None
        scores_BLT = self.head(self.dropout(states_BLD[:, :length]))
        if self.chain is None:
            losses_N = functional.cross_entropy(scores_BLT[real_BL], codes_BL[real_BL], reduction="none")
            return (losses_N * weights_BL[real_BL]).sum() / total
        some_B = real_BL.any(1)
        own = self.chain.log_likelihood(
            scores_BLT[some_B].float(), codes_BL[some_B].clamp(min=0), real_BL[some_B].sum(1)
        )
        return -(own * target.weights_B[some_B]).sum() / total

    def answer_of_places(self, states_BLD: Tensor, lengths_B: Tensor) -> NDArray[np.object_]:
        """The tags of each row."""
        scores_BLT = self.head(states_BLD)
        best_BL = scores_BLT.argmax(2) if self.chain is None else self.chain.best(scores_BLT, lengths_B)
        rows = zip(best_BL.tolist(), lengths_B.tolist(), strict=True)
        return as_rows([[self.names[code] for code in codes[:length]] for codes, length in rows]).astype(
            object
        )

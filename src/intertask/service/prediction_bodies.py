"""Bodies of predictions: rows or items in, the answers of a task out."""

from typing import Annotated, Self

from pydantic import Field, JsonValue, StrictStr, model_validator

from intertask.service.fields import (
    MOST_HISTORY,
    MOST_K,
    Attributes,
    Body,
    Identifier,
    Moment,
    Number,
    Scalar,
    Word,
)
from intertask.service.list_bodies import PastEvent

Cells = Annotated[
    dict[Word, Scalar | Annotated[list[StrictStr], Field(max_length=10_000)]], Field(max_length=10_000)
]


class PredictBody(Body):
    """Rows that the published model of rows answers, or items that the active model judges for somebody.

    Args:
        rows: As {column: value}; files, as pictures and recordings, by their bytes in base64.
        at_least: Abstain where no class is as probable as this.
        user: Whose stored events are read, for items.
        history: Events that are not stored, for items.
        attributes: What is known of the person, for items and a model that reads it.
        items: Each is judged.
        task: Of the model; of rows all if left out.
        at: The moment of the request, for a model with query time.
    """

    rows: Annotated[tuple[Cells, ...], Field(min_length=1, max_length=MOST_K)] | None = None
    at_least: Annotated[Number, Field(ge=0, le=1)] | None = None
    user: Identifier | None = None
    history: Annotated[tuple[PastEvent, ...], Field(max_length=MOST_HISTORY)] | None = None
    attributes: Attributes = {}
    items: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=MOST_K)] | None = None
    task: Word | None = None
    at: Moment | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.rows is None) == (self.items is None):
            raise ValueError("rows or items, not both or neither")
        if self.items is not None and (self.task is None or (self.user is None and self.history is None)):
            raise ValueError("a task and a user or a history with items, not fewer")
        return self


class PredictAnswer(Body):
    """Answers in the order of the rows or the items.

    Args:
        model: The version that answered.
        predictions: For each row or item, by the names of its columns; an item that is unknown has none.
    """

    model: str
    predictions: tuple[dict[str, JsonValue], ...]

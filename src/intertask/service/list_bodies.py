"""The bodies of requests and answers about lists of items, checked before anything is done."""

from typing import Annotated, Literal, Self

from pydantic import Field, StrictBool, StrictInt, StrictStr, model_validator

from intertask.service.bodies import Properties, ShownEvent
from intertask.service.fields import (
    MOST_EXPLAINED,
    MOST_HISTORY,
    MOST_IDS,
    MOST_K,
    Attributes,
    Body,
    Identifier,
    Moment,
    Number,
    Word,
)


class PastEvent(Body):
    """An event of a history that comes with the request."""

    item: Identifier
    behaviour: Word | None = None
    time: Moment | None = None


class SeenRule(Body):
    """Which items of the user's own events are left out.

    Args:
        behaviours: Of events of these; of all if left out.
        days: Of the last days; of all time if left out.
    """

    behaviours: Annotated[tuple[Word, ...], Field(max_length=255)] = ()
    days: Annotated[StrictInt, Field(ge=1, le=36_500)] | None = None


class Explore(Body):
    """How a list is drawn at random, so that logs can be learned from: Plackett-Luce, by Gumbel's noise.

    Args:
        kind: gumbel.
        temperature: In standard deviations of the candidates' scores; near zero the best come first.
        among: The candidates are the best so many.
    """

    kind: Literal["gumbel"] = "gumbel"
    temperature: Annotated[Number, Field(ge=1e-3, le=1e3)] = 0.1
    among: Annotated[StrictInt, Field(ge=2, le=MOST_K)] = 100


class Boost(Body):
    """Items that are preferred.

    Args:
        if: A condition on the items.
        factor: By which their probability is multiplied; below one for items that are to come later.
    """

    condition: Annotated[StrictStr, Field(min_length=1, max_length=2_000, alias="if")]
    factor: Annotated[Number, Field(ge=1e-3, le=1e3)]


class RecommendBody(Body):
    """A request for a list.

    Args:
        user: Whose stored events are read.
        history: Events that are not stored, behind the stored ones.
        attributes: What is known of the person, for a model that reads it; it goes before the properties of
            the user.
        k: Length of the list.
        behaviour: Recommend the next item of this behaviour.
        task: Use the task of this name.
        objective: Tasks and their weights, in place of a behaviour or a task.
        allow: Recommend these items only.
        deny: Never recommend these.
        filter: Recommend items only that meet this condition on their properties and their columns of the
            catalogue; it may name user.NAME, context.NAME, has(NAME) and age_days(NAME).
        boost: Items that are preferred.
        context: What the conditions and the rules may name as context.NAME.
        seen: false leaves nothing out, true every item of the user's events; the recipe decides if left out.
        at: The moment of the request, for a model with query time; that of the last event if left out.
        scenario: Where the list is shown, in your own words: kept with the answer.
        explore: Draw the list at random around the best one, and say with which probabilities.
        titles: Add the title of each item, from its property `title` or the catalogue.
        explain: Name the events that count most for each item; for lists of at most 50.
    """

    user: Identifier | None = None
    history: Annotated[tuple[PastEvent, ...], Field(max_length=MOST_HISTORY)] | None = None
    attributes: Attributes = {}
    k: Annotated[StrictInt, Field(ge=1, le=MOST_K)] = 10
    behaviour: Word | None = None
    task: Word | None = None
    objective: Annotated[dict[Word, Number], Field(min_length=1, max_length=64)] | None = None
    allow: Annotated[tuple[Identifier, ...], Field(max_length=MOST_IDS)] | None = None
    deny: Annotated[tuple[Identifier, ...], Field(max_length=MOST_IDS)] | None = None
    filter: Annotated[StrictStr, Field(max_length=2_000)] | None = None
    boost: Annotated[tuple[Boost, ...], Field(max_length=20)] = ()
    context: Properties = {}
    seen: StrictBool | SeenRule | None = None
    at: Moment | None = None
    scenario: Word | None = None
    explore: Explore | None = None
    titles: StrictBool = False
    explain: StrictBool = False

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if self.user is None and self.history is None and not self.attributes:
            raise ValueError("a user, a history or attributes, not none of them")
        if self.explain and self.k > MOST_EXPLAINED:
            raise ValueError(f"k of at most {MOST_EXPLAINED} with explain, not {self.k}")
        return self


class ScoredItem(Body):
    """An item of a list."""

    item: str
    score: float


class Reason(Body):
    """An event that counts for an item.

    Args:
        item: Of the event.
        change: Of the score, were the event left out: below zero where it speaks for the item.
        title: Of the item; only where titles were asked for.
    """

    item: str
    change: float
    title: str | None = None


class ListedItem(ScoredItem):
    """An item of a list that was asked for.

    Args:
        item: Its id.
        score: The higher, the better.
        propensity: With which probability it was drawn for its place, after those before it; only in a list
            that explores.
        title: Only where titles were asked for.
        because: The events that count most for it; only where it was asked for.
    """

    propensity: float | None = None
    title: str | None = None
    because: tuple[Reason, ...] | None = None


class RecommendAnswer(Body):
    """A list.

    Args:
        recommendation: The id of this answer, to be sent with the events that it leads to.
        model: The version that answered.
        items: Best first.
        unknown: How many ids of the request changed nothing, by where they stood.
        degraded: "store" where the stored events could not be read, "model" where popularity answers.
        cursor: Where the list goes on: `POST /v1/recommend/next`; null at its end.
        experiment: The experiment that the list is part of; only in lists that are.
        arm: Of that.
    """

    recommendation: str
    model: str
    items: tuple[ListedItem, ...]
    unknown: dict[str, int]
    degraded: Literal["store", "model"] | None
    cursor: str | None
    experiment: str | None = None
    arm: str | None = None


class NextBody(Body):
    """A request for the next page of a list.

    Args:
        cursor: Of the page before. The same cursor gives the same page.
        k: Length of the page; that of the first one if left out.
    """

    cursor: Annotated[StrictStr, Field(min_length=1, max_length=65_536)]
    k: Annotated[StrictInt, Field(ge=1, le=MOST_K)] | None = None


class GivenQuery(Body):
    """Which lists that were given: one, or the last of a user."""

    recommendation: Identifier | None = None
    user: Identifier | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.recommendation is None) == (self.user is None):
            raise ValueError("a recommendation or a user, not both or neither")
        return self


class GivenList(Body):
    """A list that was given.

    Args:
        recommendation: Its id.
        time: When it was given.
        user: To whom; null where the history came with the request.
        model: The version that answered.
        scenario: As the request named it.
        experiment: The experiment that it was part of.
        arm: Of that.
        items: In their order.
        events: What it led to: events that came with its id.
    """

    recommendation: str
    time: str
    user: str | None
    model: str
    scenario: str | None
    experiment: str | None
    arm: str | None
    items: tuple[ListedItem, ...]
    events: tuple[ShownEvent, ...]


class GivenAnswer(Body):
    """Lists that were given, the newest first."""

    lists: tuple[GivenList, ...]


class RerankBody(Body):
    """Items that are to be put into order.

    Args:
        user: As in a request for a list.
        history: As there.
        items: These alone.
        behaviour: As there.
        task: As there.
        objective: As there.
        at: As there.
    """

    user: Identifier | None = None
    history: Annotated[tuple[PastEvent, ...], Field(max_length=MOST_HISTORY)] | None = None
    items: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=MOST_K)]
    behaviour: Word | None = None
    task: Word | None = None
    objective: Annotated[dict[Word, Number], Field(min_length=1, max_length=64)] | None = None
    at: Moment | None = None

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if self.user is None and self.history is None:
            raise ValueError("a user or a history, not neither")
        return self


class RerankAnswer(Body):
    """Items in their order.

    Args:
        recommendation: The id of this answer.
        model: The version that answered.
        items: Best first.
        left_out: Items that are hidden, or that the model was never trained on.
        degraded: As in a list.
    """

    recommendation: str
    model: str
    items: tuple[ListedItem, ...]
    left_out: tuple[str, ...]
    degraded: Literal["store", "model"] | None

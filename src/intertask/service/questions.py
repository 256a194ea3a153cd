"""What is asked of a model by the service, and what it answers; ids are texts. Knows no HTTP and no torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Value = str | int | float | bool | Sequence[str] | None
Step = tuple[str, str, int]  # item, behaviour, microseconds since 1970


@dataclass(frozen=True)
class Seen:
    """Which items of a person's own events are left out.

    Args:
        behaviours: Of events of these; of all where none is named.
        since: Microseconds since 1970.
    """

    behaviours: tuple[str, ...] = ()
    since: int = -(2**62)


@dataclass(frozen=True)
class Exploring:
    """How a list is drawn at random.

    Args:
        temperature: In standard deviations of the candidates' scores.
        among: Candidates: the best so many.
        seed: Of the random numbers.
    """

    temperature: float
    among: int
    seed: int


@dataclass(frozen=True)
class Question:
    """A request for a list.

    Args:
        tenant: Whose data.
        person: Whose history; None where it comes with the request.
        history: Events that come with the request, behind the stored ones, if any.
        k: Length of the list.
        behaviour: As in `Recommender.recommend`.
        task: As there.
        objective: As there.
        allow: As there.
        deny: As there.
        where: As there.
        at: The moment of the request in seconds; that of the last event where it is None.
        seen: What is left out; None leaves nothing out, `recipe` does as the recipe says.
        recipe: Whether the recipe decides what is left out.
        version: Of the model that is to answer; the active one where it is None.
        seq: The number of the last event that counts; every one where it is None.
        served: Marks of items that were given on the pages before.
        boosts: Conditions, and what the probability of items that meet them is multiplied by.
        context: What conditions may name as context.NAME.
        scenario: Where the list is shown.
        asked: The moment when it was asked, in microseconds since 1970: rules and `age_days` count from it.
        exploring: How the list is drawn at random; None where the best come first.
        explain: Whether the events that count for each item are named.
        attributes: What the request says of the person, in place of what the store says.
    """

    tenant: int
    person: str | None
    history: tuple[Step, ...] = ()
    k: int = 10
    behaviour: str | None = None
    task: str | None = None
    objective: Mapping[str, float] | None = None
    allow: tuple[str, ...] | None = None
    deny: tuple[str, ...] | None = None
    where: str | None = None
    at: int | None = None
    seen: Seen | None = None
    recipe: bool = True
    version: int | None = None
    seq: int | None = None
    served: tuple[int, ...] = ()
    boosts: tuple[tuple[str, float], ...] = ()
    context: Mapping[str, Value] = field(default_factory=dict)
    scenario: str | None = None
    asked: int = 0
    exploring: Exploring | None = None
    explain: bool = False
    attributes: Mapping[str, Value] = field(default_factory=dict)

    @property
    def ranked(self) -> int:
        """How many items are ranked for it."""
        return self.k if self.exploring is None else max(self.k, self.exploring.among)


@dataclass(frozen=True)
class Reply:
    """A list.

    Args:
        version: Of the model.
        items: Ids and scores, best first.
        unknown: How many ids of the request changed nothing, by where they stood.
        degraded: Why this is less than the full answer; None where it is.
        marks: Of the items, by which every process knows them.
        seq: The number of the last event that counted.
        propensities: With which probability each item was drawn for its place, after those before it; empty
            where nothing was drawn.
        because: For each item, events and what its score loses without them; None where nobody asked.
    """

    version: int
    items: tuple[tuple[str, float], ...]
    unknown: Mapping[str, int] = field(default_factory=dict)
    degraded: str | None = None
    marks: tuple[int, ...] = ()
    seq: int = 0
    propensities: tuple[float, ...] = ()
    because: tuple[tuple[tuple[str, float], ...], ...] | None = None

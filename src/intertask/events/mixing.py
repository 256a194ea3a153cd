"""How a ranker learns: from the validation events, which neither the model nor a source was trained on.

They chose the epoch, and nothing else. By time they are the events between two moments; with leave-one-out
the last event but one of each user, whose history ends in an event that was trained on. A first stage that
left that out as well was no better (docs/decisions), so it is not trained.
"""

import itertools
import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from intertask.content.described import Described
from intertask.data.corpus import Corpus
from intertask.data.counts import event_counts
from intertask.data.sequences import Sequences
from intertask.data.windows import cut_out, histories_before
from intertask.errors import RecipeError
from intertask.evaluate.config import HistoryMode
from intertask.events.item_facts import facts
from intertask.events.ranking import SCORES_IN_MEMORY, hide, visited
from intertask.events.splits import Split
from intertask.events.systems import ModelSystem
from intertask.model import Model
from intertask.options.seeds import derive, generator
from intertask.rankers import ITEM, MODEL, Examples, Mixer, MixingConfig, RankerConfig
from intertask.ranking import Key, Ranker, lends, neutral, untrained
from intertask.signals import Signal, dense
from intertask.signals.repeats import Repeats
from intertask.sources import OfBehaviours, ReadsContent, SourceConfig, fitted
from intertask.tasks import TaskConfig
from intertask.terminal.progress import remark

FEWEST = 30  # events of a task that teach a mixer
ENOUGH = 150  # of those that the test would ask for; with fewer, all validation events teach


def lessons(config: TaskConfig, corpus: Corpus, split: Split, history: HistoryMode) -> NDArray[np.int64]:
    """The events that teach a mixer of one task, int64 places: as the test asks, if enough are left.

    The last event of each behaviour is another question than any event: on one log of a shop those who have
    just looked at what they buy.
    """
    for targets in (split.rehearsal, split.validation):
        if targets is None:
            continue
        own = targets[config.asked(corpus.sequences, targets, corpus.behaviours)]
        own = own if history == "kept" else own[~visited(corpus.sequences, own)]
        if len(own) >= ENOUGH:
            break
    return own


def refuse_without_events(
    ranker: RankerConfig,
    tasks: Mapping[str, TaskConfig],
    corpus: Corpus,
    split: Split,
    histories: tuple[HistoryMode, ...],
) -> None:
    """Refuse a ranker that has nothing to learn on, before anything is trained.

    Raises:
        RecipeError: No task that ranks items has enough validation events.
    """
    if not isinstance(ranker, MixingConfig):
        return
    ranking = {name: task for name, task in tasks.items() if task.answer.ranks}
    if not ranking:
        raise RecipeError(
            "[ranker]", "a task that ranks items", "none", 'leave [ranker] out, or kind = "none"'
        )
    counts = [
        len(lessons(task, corpus, split, history)) for task in ranking.values() for history in histories
    ]
    if max(counts) < FEWEST:
        raise RecipeError(
            "[ranker]",
            f"{FEWEST} validation events of one task at least, to learn on",
            f"{max(counts)} at most",
            "split so that more are left, take a longer log, or leave [ranker] out",
        )


def signals(
    sources: Mapping[str, SourceConfig],
    training: Sequences,
    seed: int,
    behaviours: Sequence[str],
    content_IF: NDArray[np.float32] | None = None,
) -> dict[str, Signal]:
    """What each source says, fitted on some events; one whose package is missing says nothing.

    Args:
        sources: By name.
        training: The events.
        seed: For the sources.
        behaviours: Names, in the order of their codes.
        content_IF: Of all items, as directions; None where the model reads none, which leaves out sources
            that do.

    Returns:
        By name; what a source tells of one behaviour has the name "SOURCE of BEHAVIOUR".
    """
    found: dict[str, Signal] = {}
    for name, source in sources.items():
        if isinstance(source, ReadsContent) and content_IF is None:
            continue
        try:
            own = fitted(source, training, content_IF, derive(seed, "source", name))
            found[name] = own.signal()
            if isinstance(own, OfBehaviours):
                for code, signal in own.signals_of().items():
                    found[_free(f"{name} of {behaviours[code]}", found.keys() | sources.keys())] = signal
        except RecipeError as error:  # its package is an extra that is not installed
            remark(f"the ranker goes without {name}: {error}")
    return found


def _free(name: str, taken: Set[str]) -> str:
    """The name, without characters that names of sources do not have, and with a number if it is taken."""
    name = re.sub(r"[^\w .-]", "_", name)[:90]
    numbered = (f"{name} {number}" for number in itertools.count(2))
    return name if name not in taken else next(own for own in numbered if own not in taken)


def learn(
    config: RankerConfig,
    model: Model,
    corpus: Corpus,
    split: Split,
    histories: tuple[HistoryMode, ...],
    seed: int,
) -> Ranker | None:
    """The ranker of a model, learned on the validation events.

    Args:
        config: Its options.
        model: In evaluation mode, trained on the training part.
        corpus: All events.
        split: Of them.
        histories: Whether items of the history are candidates; each way has mixers of its own.
        seed: For the sources and for drawing events.

    Returns:
        None where nothing is mixed.
    """
    if not isinstance(config, MixingConfig):
        return None
    model.eval()
    training = split.training(corpus.sequences)
    told, idle_I = _told(config, model, corpus, training, seed), idle(model, training)
    mixers: dict[Key, Mixer] = {}
    without: dict[Key, Mixer] = {}
    for task in model.config.tasks_that_rank():
        for history in histories:
            targets = lessons(model.config.tasks[task], corpus, split, history)
            if len(targets) < FEWEST:
                remark(f"the ranker leaves {task!r}, history {history}, to the model: {len(targets)} events")
                continue
            examples = gathered(
                config, model, corpus.sequences, told, targets, history, seed, idle_I, new(model, training)
            )
            counting = tuple(name for name in examples.columns if not name.startswith(MODEL))
            mixers[task, history] = config.learn(examples, derive(seed, "ranker", task, history))
            if any(not name.startswith(ITEM) for name in counting):
                without[task, history] = config.learn(
                    examples.of(counting), derive(seed, "ranker", task, history)
                )
    return Ranker(told, mixers, without)


def idle(model: Model, training: Sequences) -> NDArray[np.bool_]:
    """Items that a model knows nothing of: without a training event, and without content that it reads."""
    described = model.dimensions.described
    known_I = event_counts(training) > 0
    return np.asarray(~(known_I | described.has_I) if isinstance(described, Described) else ~known_I)


def new(model: Model, training: Sequences) -> NDArray[np.bool_] | None:
    """Items that are known by their content alone: no lesson, in which they would hardly be what happened."""
    described = model.dimensions.described
    return described.has_I & (event_counts(training) == 0) if isinstance(described, Described) else None


def content(model: Model) -> NDArray[np.float32] | None:
    """What the catalogue says of each item, as directions, where the model reads it."""
    described = model.dimensions.described
    return described.directions() if isinstance(described, Described) else None


def _told(
    config: MixingConfig,
    model: Model,
    corpus: Corpus,
    training: Sequences,
    seed: int,
) -> dict[str, Signal]:
    """What sources say, and facts about items where the ranker reads such."""
    told = signals(config.mixed, training, seed, corpus.behaviours, content(model))
    if config.reads_items:
        told |= facts(training, corpus.catalogue, corpus.items.ids)
    return told


def refitted(
    config: RankerConfig, ranker: Ranker | None, model: Model, corpus: Corpus, seed: int
) -> Ranker | None:
    """The same mixers over sources that have seen all events, as has the model."""
    if ranker is None or not isinstance(config, MixingConfig):
        return None
    told = _told(config, model, corpus, corpus.sequences, seed)
    # Which behaviours are frequent is another question of all events. Those that the weights are of stay.
    kept = {name: own for name, own in ranker.signals.items() if isinstance(own, Repeats)}
    return replace(
        ranker, signals={name: kept[name] if name in kept else told[name] for name in ranker.signals}
    )


def gathered(
    config: MixingConfig,
    model: Model,
    sequences: Sequences,
    told: Mapping[str, Signal],
    targets: NDArray[np.int64],
    history: HistoryMode,
    seed: int,
    idle_I: NDArray[np.bool_] | None = None,
    new_I: NDArray[np.bool_] | None = None,
) -> Examples:
    """The candidates that model and sources find for some of the targets, and what is said of them.

    Args:
        config: Of the ranker.
        model: In evaluation mode.
        sequences: All events.
        told: What sources say.
        targets: Places of events.
        history: Whether items of the history are candidates.
        seed: For drawing events, where there are more than the config asks for.
        idle_I: Items that the model knows nothing of, bool [items].
        new_I: Items that are no candidates, bool [items].
    """
    if len(targets) > config.events:
        drawn = generator(seed, "ranker events").choice(len(targets), config.events, replace=False)
        targets = targets[np.sort(drawn)]
    tasks = model.config.tasks_that_rank()
    columns = (*(MODEL + task for task in tasks), *told)
    scores = [not name.startswith(ITEM) for name in columns]
    lending = np.flatnonzero([lends(name, told) for name in columns])
    system = ModelSystem(model, sequences, targets)
    windows = histories_before(sequences, targets)
    size = max(1, SCORES_IN_MEMORY // (sequences.num_items * len(columns)))
    found: list[NDArray[np.int64]] = []
    values: list[NDArray[np.float32]] = []
    for start in range(0, len(targets), size):
        rows = np.arange(start, min(len(targets), start + size))
        histories = cut_out(sequences, windows[rows])
        said_KBI = np.stack(
            [
                *(
                    dense(neutral(system.score(task, rows).cpu().numpy(), idle_I), len(rows))
                    for task in tasks
                ),
                *(dense(own.say(histories), len(rows)) for own in told.values()),
            ]
        )
        for row, own, others in untrained(histories, idle_I) if idle_I is not None else ():
            best_K1 = said_KBI[lending, row][:, others].max(1, keepdims=True)
            said_KBI[lending[:, None], row, own] = best_K1
        hidden_BI = np.zeros(said_KBI.shape[1:], bool)
        if history == "masked":
            hide(hidden_BI, histories)
        if new_I is not None:
            hidden_BI |= new_I
        for row in range(len(rows)):
            items = _candidates(said_KBI[scores, row], hidden_BI[row], config.candidates)
            found.append(items)
            values.append(said_KBI[:, row, items].T)
    return _padded(columns, found, values, sequences, targets)


def _candidates(said_KI: NDArray[np.float32], hidden_I: NDArray[np.bool_], most: int) -> NDArray[np.int64]:
    """The best items of each column, rising."""
    chosen = np.zeros(len(hidden_I), bool)
    for said_I in said_KI:
        # Where a source says nothing of so many items, any of them would be among its best.
        told = np.flatnonzero((said_I > said_I.min()) & ~hidden_I)
        if len(told) > most:
            told = told[np.argpartition(-said_I[told], most - 1)[:most]]
        chosen[told] = True
    return np.flatnonzero(chosen)


def _padded(
    columns: tuple[str, ...],
    found: list[NDArray[np.int64]],
    values: list[NDArray[np.float32]],
    sequences: Sequences,
    targets: NDArray[np.int64],
) -> Examples:
    longest = max(1, *map(len, found))
    said_NCK = np.zeros((len(targets), longest, len(columns)), np.float32)
    mask_NC = np.zeros((len(targets), longest), bool)
    target_N = np.full(len(targets), -1, np.int64)
    for row, (items, own) in enumerate(zip(found, values, strict=True)):
        said_NCK[row, : len(items)] = own
        mask_NC[row, : len(items)] = True
        place = np.flatnonzero(items == sequences.items[targets[row]])
        if len(place):
            target_N[row] = place[0]
    users = sequences.users_of(targets)
    return Examples(columns, said_NCK, mask_NC, target_N, targets - sequences.offsets[users], users)

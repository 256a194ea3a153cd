"""What the model answers to the targets of an event log, and what can be answered without a model.

The reference answers stand in every table: the base rate, and the mean of the item where a task judges one.
"""

import numpy as np
import torch
from numpy.typing import NDArray

from intertask.data.item_means import item_means
from intertask.data.sequences import Sequences
from intertask.evaluate.config import HistoryMode
from intertask.evaluate.scoring import Answers
from intertask.events.ranking import rank_targets
from intertask.events.systems import ModelSystem
from intertask.metrics.direction import K
from intertask.tasks import TaskConfig


def model_answers(
    system: ModelSystem,
    name: str,
    sequences: Sequences,
    targets: NDArray[np.int64],
    rows: NDArray[np.int64],
    behaviours: tuple[str, ...],
    history: HistoryMode = "kept",
) -> Answers:
    """The model's answers to some targets of its system.

    Args:
        system: The model, asked about all targets.
        name: The task.
        sequences: All events.
        targets: int64 [targets], places of the target events.
        rows: int64 [n], those that are asked for.
        behaviours: Names of the behaviours.
        history: Whether items of the history are candidates, of a task that ranks items.
    """
    model, config = system.model, system.model.config.tasks[name]
    truth = config.truth(sequences, behaviours)[targets[rows]]
    if config.answer.ranks:
        ranks = rank_targets(system, name, sequences, targets, rows, history, K).ranks
        return Answers(config.answer, truth, ranks)
    items_N = torch.from_numpy(sequences.items[targets[rows]].astype(np.int64)).to(model.device)
    with torch.no_grad():
        predicted = model.predict(name, system.states_MTD[torch.from_numpy(rows)], items_N)
    return Answers(config.answer, truth, predicted.cpu().numpy())


def reference_answers(
    answers: Answers,
    config: TaskConfig,
    training: Sequences,
    items: NDArray[np.int32],
    behaviours: tuple[str, ...],
) -> dict[str, Answers]:
    """What the base rate and the items' means answer to the same targets.

    Args:
        answers: The model's, for what was right.
        config: Of the task.
        training: The training events.
        items: int32 [n], the targets' items.
        behaviours: Names of the behaviours.
    """
    asked = config.asked(training, np.arange(training.num_events), behaviours)
    known = config.truth(training, behaviours)[asked]
    base = answers.answer.base_rate(known, answers.predicted)
    found = {"base rate": Answers(answers.answer, answers.truth, base)}
    if not config.judges:
        return found
    _, means = item_means(config.truth(training, behaviours), training)
    return found | {"item mean": Answers(answers.answer, answers.truth, means.astype(np.float32)[items])}

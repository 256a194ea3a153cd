"""Heads that judge an item begin at what training labels say of it, and learn from there what a history adds.

From the start at one half they had learnt what items are like only after epochs in which they had already
begun to know their people by heart, and ended behind the mean of each item (docs/decisions).
"""

from collections.abc import Mapping

import numpy as np
from scipy.special import logit
from torch import nn

from intertask.data.item_means import item_means
from intertask.data.sequences import Sequences
from intertask.tasks import TaskConfig
from intertask.tasks.response import Config, Response


def begin_with_labels(
    tasks: Mapping[str, TaskConfig], heads: nn.ModuleDict, training: Sequences, behaviours: tuple[str, ...]
) -> None:
    """Let untrained heads answer as the labels do: each item's mean, drawn to that of all.

    A further step of a funnel answers the share of yes where the step before it is a yes; where those are all
    alike there is nothing to begin with.

    Args:
        tasks: By name; their labels have been checked.
        heads: Of the tasks.
        training: The training events.
        behaviours: Names of the behaviours.
    """
    for name, task in tasks.items():
        head = heads[name]
        if not isinstance(task, Config) or not isinstance(head, Response):
            continue
        labels = task.labels(training, behaviours)
        if task.given is not None:
            before = tasks[task.given]
            assert isinstance(before, Config)
            labels = np.where(before.labels(training, behaviours) == 1, labels, np.nan)
        if np.isnan(labels).all():
            continue
        base, means_I = item_means(labels, training)
        # Exactly nothing is added for items without a label: weight decay would shrink what rounding leaves.
        told_I = np.bincount(training.items[~np.isnan(labels)], minlength=training.num_items) > 0
        if task.form == "regression":
            head.begin_with(base, np.where(told_I, means_I - base, 0.0))
        elif 0 < base < 1:
            head.begin_with(float(logit(base)), np.where(told_I, logit(means_I) - logit(base), 0.0))

"""Whether there is enough to judge by. Below that an interval is a formality, and no verdict is given.

The bootstrap draws units, such as users: from five its 95 % interval of a mean covers about 83 %, from ten
90 %, from twenty 93 %. A metric of a rare answer is a metric of the few events that have it, however many
others there are.
"""

import numpy as np
from numpy.typing import NDArray

LEAST = 20  # targets, and targets with another answer than the most frequent one
LEAST_UNITS = 10
NOT_JUDGED = "not judged"  # the verdict where there is too little to judge by
NO_DIFFERENCE = "no difference shown"


def too_few(
    units: NDArray[np.integer],
    labels: NDArray[np.generic] | None = None,
    words: tuple[str, str] = ("user", "users"),
) -> str:
    """Why no verdict can be given; empty where one can.

    Args:
        units: [targets], the unit that owns each target, such as its user.
        labels: [targets], the right answers where they are one of a few, as yes and no; None for values and
            for items.
        words: What one unit is called, and several.
    """
    count, num_units = len(units), len(np.unique(units))
    if count < LEAST:
        return f"{_counted(count, 'target')}, and a verdict needs {LEAST}"
    if labels is not None:
        answers, counts = np.unique(labels, return_counts=True)
        other = count - int(counts.max())
        if other < LEAST:
            yes_or_no = np.isin(answers, (0, 1)).all()
            word = "other answer" if not yes_or_no else "negative" if answers[counts.argmax()] else "positive"
            return f"{_counted(other, word)} among {count:,} targets, and a verdict needs {LEAST}"
    if num_units < LEAST_UNITS:
        return f"targets of {num_units:,} {words[num_units != 1]}, and a verdict needs {LEAST_UNITS}"
    return ""


def in_words(shown: float, above: str, below: str, lacking: str) -> str:
    """The verdict on a difference.

    Args:
        shown: By how much it is above or below zero; 0 where chance may have made it.
        above: The verdict above zero.
        below: The verdict below.
        lacking: Why there is too little to judge by, where there is.
    """
    if lacking:
        return NOT_JUDGED
    return above if shown > 0 else below if shown < 0 else NO_DIFFERENCE


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"

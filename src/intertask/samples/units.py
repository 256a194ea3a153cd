"""What owns each row where intervals are drawn."""

import numpy as np
from numpy.typing import NDArray

from intertask.data.rows import Rows
from intertask.evaluate.sufficiency import LEAST_UNITS

ROW, GROUP = "row", "group"


def units(rows: Rows) -> tuple[NDArray[np.int64], str]:
    """The unit of each row, and what it is: its group, or itself where groups are too few to draw from."""
    if GROUP in rows.roles.columns and len(rows):
        groups = rows.roles[GROUP].rank("dense").to_numpy().astype(np.int64) - 1
        if int(groups.max()) + 1 >= LEAST_UNITS:
            return groups, GROUP
    return np.arange(len(rows)), ROW

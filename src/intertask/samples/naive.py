"""References that stand in every table of a task, whether a recipe names them or not."""

from intertask.data.rows import Rows
from intertask.references import ReferenceConfig
from intertask.references.naive import Config as Naive
from intertask.tasks._rows import RowTaskConfig
from intertask.tasks.forecast import Config as Forecast


def always(name: str, task: RowTaskConfig, rows: Rows) -> dict[str, ReferenceConfig]:
    """The naive forecasts of a forecast; none of other tasks."""
    if not isinstance(task, Forecast):
        return {}
    options = {"label": task.column(name, rows), "change": task.ahead == "change", "season": task.season}
    manners = {"last value": "last", "seasonal naive": "season", "mean": "mean", "random direction": "random"}
    return {told: Naive.model_validate({"manner": manner, **options}) for told, manner in manners.items()}

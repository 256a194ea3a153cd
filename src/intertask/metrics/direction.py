"""Which way each metric points, and which one decides.

Errors are better when they are lower. Where figures of several metrics stand side by side, higher is better
for all of them, and an error is negated and called so: "log_loss" becomes "-log_loss".
"""

from collections.abc import Mapping

LOWER_IS_BETTER = frozenset(
    {
        "log_loss",
        "calibration_error",
        "rmse",
        "mae",
        "squared_error",
        "pinball_loss",
        "word_error_rate",
        "character_error_rate",
    }
)
K = 10  # length of the list that decides
MAIN_METRIC = f"ndcg@{K}"  # of rankings


def lower_is_better(metric: str) -> bool:
    """Whether the lowest value of a metric is the best; "hr@10" is "hr" here, and "-mae" is none of them."""
    return metric.partition("@")[0] in LOWER_IS_BETTER


def rising(metric: str) -> str:
    """The name under which higher is better: "-rmse" of "rmse", "auc" of "auc"."""
    return f"-{metric}" if lower_is_better(metric) else metric


def all_rising(metrics: Mapping[str, float]) -> dict[str, float]:
    """Metrics of which higher is better for each.

    Example:
        >>> all_rising({"auc": 0.75, "log_loss": 0.5})
        {'auc': 0.75, '-log_loss': -0.5}
    """
    return {rising(metric): -value if lower_is_better(metric) else value for metric, value in metrics.items()}

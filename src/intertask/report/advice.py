"""What to try where a baseline beats the model, by what training and evaluation left behind."""

from collections.abc import Sequence

from intertask.evaluate.results import Evaluation
from intertask.rankers import MixingConfig
from intertask.recipe import Recipe
from intertask.report.figures import counted
from intertask.report.journal import Journal
from intertask.report.verdict import Verdict, verdicts
from intertask.train.ending import longer

MOST = 2  # lines: a list of all that may be tried is read by nobody
FEW_STEPS, SMALL_LOG = 500, 50_000


def advice(evaluation: Evaluation, course: Journal, recipe: Recipe) -> list[str]:
    """One or two things to try, the likeliest first; none where no baseline is above the model.

    Args:
        evaluation: Of the trained run.
        course: Of its training.
        recipe: What was trained.
    """
    lost = [verdict for verdict in verdicts(evaluation.differences) if verdict.outcome == "lose"]
    if not lost:
        return []
    told = [
        *_of_sources(lost, recipe),
        *_of_training(course, recipe),
        *_of_repeats(evaluation, recipe),
        *_of_size(course, recipe),
    ]
    return told[:MOST] or [
        "Try another encoder, or a learning rate three times as low or as high, on --part validation; if "
        "nothing helps, the baseline is the better choice for this log."
    ]


def _of_sources(lost: Sequence[Verdict], recipe: Recipe) -> list[str]:
    """What counts can be mixed with the model where it is above it."""
    ranking = [name for name, task in recipe.tasks.items() if task.answer.ranks]
    if isinstance(recipe.ranker, MixingConfig) or all(verdict.task not in ranking for verdict in lost):
        return []
    return [
        'Mix the baselines with the model: [ranker] kind = "blend"; trained into the same folder, the model '
        "keeps its weights."
    ]


def _of_training(course: Journal, recipe: Recipe) -> list[str]:
    """What the course of the training says."""
    epochs, kept, steps = len(course.validations), course.kept_epoch, len(course.steps)
    if not epochs or kept is None:
        return []
    all_of_them = counted(epochs, "epoch")
    if kept == epochs - 1:
        return [f"Train longer: the last of {all_of_them} was the best; [train] {longer(epochs)}."]
    if steps < FEW_STEPS:
        tokens = max(1, sum(step.tokens for step in course.steps) // max(1, steps))
        smaller = max(64, 2 ** (tokens.bit_length() - 2))
        return [
            f"Train in more steps: {all_of_them} had only {steps}; [train] batch_tokens = {smaller}, "
            f"{longer(epochs)}."
        ]
    if kept < epochs // 3 and recipe.train.learning_rate > 1e-3:
        return [
            f"Learn more slowly: epoch {kept} of 0 to {epochs - 1} was the best, what followed fitted "
            "the training part alone; [train] learning_rate = 1e-3, dropout = 0.4 in [input] and [encoder]."
        ]
    return []


def _of_repeats(evaluation: Evaluation, recipe: Recipe) -> list[str]:
    """Where people come back to the same items, masking the history asks for the rest alone."""
    if "kept" in recipe.evaluation.history:
        return []
    for name, task in recipe.tasks.items():
        own = [row for row in evaluation.rankings if row.task == name and row.slice == "all"]
        whole = getattr(task, "behaviour", None) is None
        if own and whole and own[0].count < 0.9 * evaluation.protocol.num_targets:
            repeated = 1 - own[0].count / evaluation.protocol.num_targets
            return [
                f"Ask for repeats too: {repeated:.0%} of the targets are items of the history and were left "
                'out; [evaluation] history = ["kept"].'
            ]
    return []


def _of_size(course: Journal, recipe: Recipe) -> list[str]:
    """A small log cannot fill a wide model."""
    events = sum(step.tokens for step in course.steps) // max(1, len(course.validations))
    if not 0 < events < SMALL_LOG or recipe.width <= 32:
        return []
    return [
        f"The log is small ({events:,} training events): try width = 32, a dropout of 0.4 in [encoder] and "
        'in [input], which needs kind = "events" beside it; or use the baseline.'
    ]

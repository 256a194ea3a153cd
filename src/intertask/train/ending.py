"""Why a training ended, and whether a longer one may be better."""

from intertask.train.config import TrainConfig


def reason(config: TrainConfig, epochs: int, best_epoch: int, monitor: str) -> str:
    """Why training ends after so many epochs; empty where it goes on."""
    waited = epochs - 1 - best_epoch
    if waited >= config.patience:
        return f"early stop, no better {monitor} for {waited} epochs"
    if epochs >= config.epochs:
        return f"all {config.epochs} epochs done"
    return ""


def advice(config: TrainConfig, epochs: int, best_epoch: int, steps: int, warmup: int) -> list[str]:
    """What to change, as far as the course of a training says it.

    Args:
        config: Options of the training that has ended.
        epochs: Epochs run.
        best_epoch: The one whose weights were kept, counted from 0.
        steps: Updates of all epochs.
        warmup: Over how many of them the learning rate was to rise.
    """
    told = []
    if steps <= warmup:
        told.append(
            f"It ended within the warm-up ({steps} of {warmup} steps): leave [train] warmup_steps out, or "
            f"train longer."
        )
    if best_epoch == epochs - 1:
        told.append(f"The last epoch was the best: more may help, e.g. [train] {longer(epochs)}.")
    return told


def longer(epochs: int) -> str:
    """The option that trains for longer than so many epochs."""
    return f"epochs = {2 * epochs}"

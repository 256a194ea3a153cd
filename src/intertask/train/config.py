"""How a model is trained, as a recipe says it."""

from typing import Literal

from pydantic import Field

from intertask.config import Config


class TrainConfig(Config):
    """Options of training. The defaults are what did best on MovieLens-1M (docs/decisions.md).

    Args:
        epochs: At most so many.
        patience: Stop after so many epochs without a better validation metric.
        monitor: The validation metric that chooses the epoch, such as "next/ndcg@10", or "all", a mean over
            the tasks; of the recipe's first task where it is left out.
        learning_rate: Highest learning rate of AdamW.
        warmup_steps: Steps over which it rises from zero. Left out: a tenth of the planned steps, at most
            200, so that a short training does not end within them.
        schedule: What follows: it stays, or it falls along half a cosine towards zero at the last epoch.
        weight_decay: On the matrices of linear and recurrent layers.
        table_decay: On tables of vectors, items' among them; helps where most items are rare. Without effect
            on large tables that are updated row by row.
        average: Decay of an exponential moving average of the weights over the steps, which is then what
            is validated and kept; 0 keeps the weights themselves.
        clip_norm: Longest gradient; longer ones are scaled down.
        batch_tokens: Most positions in a batch, padding included. Left out: 4,096, or fewer where an epoch
            would have less than 32 steps, so that a small log is not trained in a handful of steps.
        windows: "last": the last max_length events of each user; "all": all events, in several windows.
        stream_temperature: Of several streams, one has turns in proportion to its weight times its number of
            batches to the power of one over this: 1 by size, higher values nearer to equal turns.
        workers: Threads that prepare batches ahead; the result does not depend on it.
        validation_targets: At most so many validation targets choose the epoch.
        checkpoint_steps: A checkpoint after so many steps, and after an epoch where the last one is a tenth
            of that ago.
        gradient_steps: The cosines between the tasks' gradients at the weights of input and encoder go into
            the journal after so many steps; 0 for never. Costs a pass back for each task, and changes nothing
            that is trained.
        device: "auto" takes a GPU where there is one.
        precision: Of the products in training; weights are float32 always. "auto": bfloat16 on CUDA, where
            it brings flash attention with it, float32 elsewhere: on a CPU bfloat16 is slower.
    """

    epochs: int = Field(default=40, ge=1)
    patience: int = Field(default=10, ge=1)
    monitor: str | None = None
    learning_rate: float = Field(default=3e-3, gt=0)
    warmup_steps: int | None = Field(default=None, ge=0)
    schedule: Literal["constant", "cosine"] = "cosine"
    weight_decay: float = Field(default=0.0, ge=0)
    table_decay: float = Field(default=0.0, ge=0)
    average: float = Field(default=0.995, ge=0, lt=1)
    clip_norm: float = Field(default=1.0, gt=0)
    batch_tokens: int | None = Field(default=None, ge=1)
    windows: Literal["last", "all"] = "all"
    stream_temperature: float = Field(default=1.0, gt=0)
    workers: int = Field(default=1, ge=0)
    validation_targets: int = Field(default=50_000, ge=1)
    checkpoint_steps: int = Field(default=500, ge=1)
    gradient_steps: int = Field(default=0, ge=0)
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    precision: Literal["auto", "float32", "bfloat16"] = "auto"

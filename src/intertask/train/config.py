"""How a model is trained, as a recipe says it."""

from typing import Literal

from pydantic import Field, model_validator

from intertask.options.config import Config


class TrainConfig(Config):
    """Options of training. The defaults did best on MovieLens-1M (docs/lab/notebook.md).

    Args:
        epochs: Train for at most this many epochs.
        patience: Stop after this many epochs without a better validation metric.
        monitor: The validation metric that chooses the epoch, such as "next/ndcg@10", or "all", a mean over
            the tasks; a metric of the first task if left out.
        learning_rate: The highest learning rate of AdamW.
        warmup_steps: Steps over which the rate rises from zero. If left out a tenth of the planned steps, 200
            at most, so that a short training does not end within them.
        warmup_share: The same as a share of the planned steps, however many; for parts that have been
            trained before.
        schedule: After the warm-up the rate stays, or falls along half a cosine to zero at the last epoch.
        weight_decay: Weight decay of the matrices of linear and recurrent layers.
        table_decay: Weight decay of tables of vectors, such as the items'; helps where most items are rare.
            No effect on large tables that are updated row by row.
        average: Decay of an exponential moving average of the weights over the steps, which is then what
            is validated and kept; 0 keeps the weights themselves.
        own_epochs: A task that does not rank items, and was better on validation before the epoch that was
            chosen, keeps its head as of its own best epoch where that is better with what all tasks share.
        refit: `intertask train` saves two models: in the folder `evaluated` of the run one to measure, and in
            `model` one to serve, trained on all events, none held back, for as many epochs as were chosen.
            Takes as long again; for logs alone. Off, what was measured is served.
        clip_norm: Gradients longer than this are scaled down to it.
        batch_tokens: Most positions in a batch, padding included. If left out 4,096, or fewer for a log so
            small that an epoch would have less than 32 steps.
        windows: "last": the last max_length events of each user; "all": all events, in several windows.
        step: With several streams, "turns": each step takes a batch of one of them; "together": each step
            takes a batch of every one, adds up their losses, times the weights of the streams, and updates
            once; batches of smaller streams are smaller, so that an epoch sees each row once.
        stream_temperature: With several streams that take turns, each has turns in proportion to its weight
            times its number of batches to the power of 1 / this: by size with 1, nearly equal turns with a
            high value.
        workers: Threads that prepare batches ahead; no effect on the result.
        validation_targets: At most this many validation targets choose the epoch.
        checkpoint_steps: Write a checkpoint after this many steps, and after an epoch if the last checkpoint
            is a tenth of that ago.
        gradient_steps: After this many steps write the cosines between the tasks' gradients at the weights of
            input and encoder into the journal; 0 for never. Costs a backward pass for each task, and has no
            effect on the result.
        device: "auto" takes a GPU if there is one.
        precision: Precision of the products in training; weights are always float32. "auto": bfloat16 on
            CUDA, float32 on a CPU, where bfloat16 is slower.
    """

    epochs: int = Field(default=40, ge=1, le=100_000)
    patience: int = Field(default=10, ge=1, le=100_000)
    monitor: str | None = Field(default=None, max_length=200)
    learning_rate: float = Field(default=3e-3, gt=0, le=10)
    warmup_steps: int | None = Field(default=None, ge=0, le=10**9)
    warmup_share: float | None = Field(default=None, ge=0, le=1)
    schedule: Literal["constant", "cosine"] = "cosine"
    weight_decay: float = Field(default=0.0, ge=0, le=100)
    table_decay: float = Field(default=0.0, ge=0, le=100)
    average: float = Field(default=0.995, ge=0, lt=1)
    own_epochs: bool = True
    refit: bool = True
    clip_norm: float = Field(default=1.0, gt=0, le=1e9)
    batch_tokens: int | None = Field(default=None, ge=1, le=1 << 20)
    windows: Literal["last", "all"] = "all"
    step: Literal["turns", "together"] = "turns"
    stream_temperature: float = Field(default=1.0, ge=1e-3, le=1e6)
    workers: int = Field(default=1, ge=0, le=64)
    validation_targets: int = Field(default=50_000, ge=1, le=10**9)
    checkpoint_steps: int = Field(default=500, ge=1, le=10**9)
    gradient_steps: int = Field(default=0, ge=0, le=10**9)
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    precision: Literal["auto", "float32", "bfloat16"] = "auto"

    @model_validator(mode="after")
    def _one_warmup(self) -> "TrainConfig":
        if self.warmup_steps is not None and self.warmup_share is not None:
            raise ValueError("warmup_steps or warmup_share, not both")
        return self

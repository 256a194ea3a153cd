"""RecTools: SASRecModel with its softmax loss; its defaults for a course."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import measuring
import numpy as np
import pandas as pd
import torch
from exported import Exported
from measuring import Course, Found, LightningCourse, LightningMeter, Meter, Options
from numpy.typing import NDArray
from pytorch_lightning import Callback, LightningModule, Trainer
from rectools import Columns
from rectools.dataset import Dataset
from rectools.metrics import NDCG, HitRate, calc_metrics
from rectools.models import SASRecModel

from ranking import Score

FILE = "rectools.ckpt"


class MeterCallback(LightningMeter, Callback):
    """Meters the training."""


class CourseCallback(LightningCourse, Callback):
    """Validates after epochs."""

    def on_train_start(self, trainer: Trainer, module: LightningModule) -> None:
        """Keep the weights of a checkpoint: the module draws new ones when training starts."""
        super().on_train_start(trainer, module)
        if self.course.epochs:
            module.on_train_start = lambda: None


def train(options: Options, data: Exported) -> Found:
    """Throughput of the equal model."""
    callback = MeterCallback(Meter(options), _count)
    model = _model(options, data, callback, options.epochs + 1, equal=True)
    model.fit(_dataset(data))
    model.fit_trainer.save_checkpoint(options.folder / FILE)
    kept = next(one for one in model.fit_trainer.callbacks if isinstance(one, MeterCallback))
    return kept.meter.result(_weights(model))


def evaluate(options: Options, data: Exported) -> Found:
    """Ten recommendations for every user, without what was seen, and the metrics of them."""
    torch.set_num_threads(options.threads)
    model = SASRecModel.load_from_checkpoint(
        options.folder / FILE,
        model_params_update={"get_trainer_func": None, "epochs": options.epochs + 1},
    )
    dataset = _dataset(data)
    targets = pd.DataFrame({Columns.User: data.target_users, Columns.Item: data.target_items})
    metrics = {"ndcg@10": NDCG(k=10, divide_by_achievable=True), "hr@10": HitRate(k=10)}

    def recommend() -> dict[str, float]:
        lists = model.recommend(users=data.target_users, dataset=dataset, k=10, filter_viewed=True)
        found = calc_metrics(metrics, reco=lists, interactions=targets)
        return {name: float(value) for name, value in found.items()}

    return measuring.timed_twice(recommend)


def quality(options: Options, data: Exported) -> Found:
    """The course of the library's defaults, or of the equal model."""
    callback = CourseCallback(Course(options, data), lambda module: _scorer(module, data))
    went_on = measuring.checkpoint(options)
    model = _model(options, data, callback, measuring.ENDLESS, equal=options.equal, checkpoint=went_on)
    model.fit(_dataset(data))
    kept = next(one for one in model.fit_trainer.callbacks if isinstance(one, CourseCallback))
    return kept.course.result(_weights(model))


def _model(
    options: Options,
    data: Exported,
    callback: Callback,
    epochs: int,
    *,
    equal: bool,
    checkpoint: Path | None = None,
) -> SASRecModel:
    torch.set_num_threads(options.threads)
    asked = {}
    if equal:
        asked = {
            "n_factors": measuring.WIDTH,
            "n_blocks": measuring.LAYERS,
            "n_heads": measuring.HEADS,
            "dropout_rate": options.dropout,
            "session_max_len": data.max_length,
            "batch_size": measuring.SEQUENCES,
        }
    return SASRecModel(loss="softmax", get_trainer_func=_trainers(callback, epochs, checkpoint), **asked)


def _trainers(callback: Callback, epochs: int, checkpoint: Path | None) -> Callable[[], Trainer]:
    def trainer() -> Trainer:
        made = Trainer(
            max_epochs=epochs,
            accelerator="cpu",
            devices=1,
            enable_progress_bar=False,
            enable_model_summary=False,
            enable_checkpointing=False,
            logger=False,
            callbacks=[callback],
        )
        if checkpoint is not None:  # which the model has no argument for
            made.fit = partial(made.fit, ckpt_path=checkpoint)
        return made

    return trainer


def _dataset(data: Exported) -> Dataset:
    events = pd.DataFrame(
        {
            Columns.User: data.users,
            Columns.Item: data.items,
            Columns.Weight: 1.0,
            Columns.Datetime: pd.to_datetime(data.orders, unit="s"),
        }
    )
    return Dataset.construct(events)


def _scorer(module: LightningModule, data: Exported) -> Score:
    """Scores as `recommend` makes them, of all items that the model knows."""
    network, preparator = module.torch_model, module.data_preparator
    places = np.asarray(preparator.get_known_item_ids(), dtype=np.int64)
    codes = np.zeros(data.num_items, dtype=np.int64)
    codes[places] = preparator.get_known_items_sorted_internal_ids()
    known = codes > 0

    def score(users: NDArray[np.int64]) -> NDArray[np.float32]:
        length = preparator.session_max_len
        x = np.zeros((len(users), length), dtype=np.int64)
        for row, user in zip(x, users.tolist(), strict=True):
            history = codes[data.history(user)]
            recent = history[history > 0][-length:]
            row[length - len(recent) :] = recent
        scores = np.full((len(users), data.num_items), -np.inf, dtype=np.float32)
        network.eval()
        with torch.no_grad():
            items = network.item_model.get_all_embeddings()
            last = network.encode_sessions({"x": torch.from_numpy(x)}, items)[:, -1]
            scores[:, known] = (last @ items.T).numpy()[:, codes[known]]
        network.train()
        return scores

    return score


def _count(batch: Mapping[str, torch.Tensor]) -> int:
    return int((batch["y"] != 0).sum())


def _weights(model: SASRecModel) -> int:
    return sum(weight.numel() for weight in model.torch_model.parameters())


if __name__ == "__main__":
    measuring.main({"train": train, "evaluate": evaluate, "quality": quality})

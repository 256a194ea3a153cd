"""RecBole: SASRec with loss_type CE. Every prefix of a history is a sample of its own, padded."""

import os
from collections.abc import Sized
from contextlib import suppress
from pathlib import Path

import measuring
import numpy as np
import torch
from exported import Exported
from measuring import Course, Enough, Found, Meter, Options
from numpy.typing import NDArray
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.data.dataloader import FullSortEvalDataLoader, TrainDataLoader
from recbole.data.dataset import SequentialDataset
from recbole.model.sequential_recommender import SASRec
from recbole.trainer import Trainer

from ranking import Score

FILE = "recbole.pt"
WARM_UP = 1  # batches, which are large
# RecBole's defaults for its default length, 50: 2,048 samples in training, 4,096 in evaluation. With as many
# samples of length 200 training takes 16 GB.
TRAINED_AT_ONCE, EVALUATED_AT_ONCE = 2048 * 50, 4096 * 50  # positions


class CourseTrainer(Trainer):
    """Validates as all libraries are validated, after every epoch."""

    def follow(self, course: Course, score: Score) -> None:
        """Say with what."""
        self.course, self.score = course, score

    def _valid_epoch(
        self, valid_data: FullSortEvalDataLoader, show_progress: bool = False
    ) -> tuple[float, dict[str, float]]:
        if self.course.end_epoch(self.score):
            raise Enough
        return self.course.best, {}


def train(options: Options, data: Exported) -> Found:
    """Throughput of the equal model."""
    meter = Meter(options, warm_up=WARM_UP)
    _, loader, _, model = _everything(options, data, equal=True)
    own = model.calculate_loss

    def calculate_loss(batch: Sized) -> torch.Tensor:
        meter.require(len(batch), len(loader))
        return own(batch)

    model.calculate_loss = calculate_loss
    with suppress(Enough):
        Trainer(model.config, model).fit(loader, saved=False, verbose=False)
    torch.save(model.state_dict(), options.folder / FILE)
    return meter.result(_weights(model))


def evaluate(options: Options, data: Exported) -> Found:
    """RecBole's full-sort evaluation, which leaves the history among the candidates."""
    _, _, loader, model = _everything(options, data, equal=True)
    model.load_state_dict(torch.load(options.folder / FILE))
    trainer = Trainer(model.config, model)

    def rank() -> dict[str, float]:
        found = trainer.evaluate(loader, load_best_model=False)
        return {"ndcg@10": float(found["ndcg@10"]), "hr@10": float(found["hit@10"])}

    return measuring.timed_twice(rank)


def quality(options: Options, data: Exported) -> Found:
    """The course of the library's defaults, or of the equal model."""
    course = Course(options, data)
    dataset, loader, validation, model = _everything(options, data, equal=options.equal)
    trainer = CourseTrainer(model.config, model)
    trainer.follow(course, _scorer(model, dataset, data))
    course.start()
    with suppress(Enough):
        trainer.fit(loader, validation, saved=False, verbose=False)
    return course.result(_weights(model))


def _everything(
    options: Options, data: Exported, *, equal: bool
) -> tuple[SequentialDataset, TrainDataLoader, FullSortEvalDataLoader, SASRec]:
    torch.set_num_threads(options.threads)
    _write(options.folder / "events" / "events.inter", data)
    os.chdir(options.folder)  # where RecBole puts its logs
    config = Config(model="SASRec", dataset="events", config_dict=_settings(options, data, equal=equal))
    dataset = create_dataset(config)
    training, validation, _ = data_preparation(config, dataset)
    torch.manual_seed(1)
    model = SASRec(config, training.dataset)
    model.config = config
    return dataset, training, validation, model


def _settings(options: Options, data: Exported, *, equal: bool) -> dict[str, object]:
    length = data.max_length if equal else 50
    settings: dict[str, object] = {
        "data_path": str(options.folder),
        "checkpoint_dir": str(options.folder),
        "load_col": {"inter": ["user_id", "item_id", "timestamp"]},
        "eval_args": {"split": {"LS": "valid_only"}, "order": "TO", "group_by": "user", "mode": "full"},
        "metrics": ["NDCG", "Hit"],
        "topk": [10],
        "valid_metric": "NDCG@10",
        "metric_decimal_place": 10,
        "train_neg_sample_args": None,
        "loss_type": "CE",
        "train_batch_size": TRAINED_AT_ONCE // max(50, length),
        "eval_batch_size": EVALUATED_AT_ONCE // max(50, length),
        "epochs": measuring.ENDLESS,
        "stopping_step": measuring.ENDLESS,
        "use_gpu": False,
        "show_progress": False,
        "state": "ERROR",
    }
    if equal:
        settings |= {
            "hidden_size": measuring.WIDTH,
            "n_layers": measuring.LAYERS,
            "n_heads": measuring.HEADS,
            "inner_size": measuring.WIDTH,
            "hidden_dropout_prob": options.dropout,
            "attn_dropout_prob": 0.0,
            "MAX_ITEM_LIST_LENGTH": length,
        }
    return settings


def _write(file: Path, data: Exported) -> None:
    """The atomic file: training events, and the validation target of each user as the last."""
    lengths = np.diff(data.offsets)[data.target_users]
    users = np.concatenate([data.users, data.target_users])
    items = np.concatenate([data.items, data.target_items])
    orders = np.concatenate([data.orders, lengths])
    file.parent.mkdir(exist_ok=True)
    header = "user_id:token\titem_id:token\ttimestamp:float"
    np.savetxt(
        file, np.stack([users, items, orders], 1), fmt="%d", delimiter="\t", header=header, comments=""
    )


def _scorer(model: SASRec, dataset: SequentialDataset, data: Exported) -> Score:
    tokens = dataset.field2id_token["item_id"]  # the first is padding
    codes = np.zeros(data.num_items, dtype=np.int64)
    codes[tokens[1:].astype(np.int64)] = np.arange(1, len(tokens))
    known = codes > 0

    def score(users: NDArray[np.int64]) -> NDArray[np.float32]:
        x = np.zeros((len(users), model.max_seq_length), dtype=np.int64)
        lengths = np.zeros(len(users), dtype=np.int64)
        for row, user in enumerate(users.tolist()):
            recent = codes[data.history(user)][-model.max_seq_length :]
            x[row, : len(recent)], lengths[row] = recent, len(recent)
        scores = np.full((len(users), data.num_items), -np.inf, dtype=np.float32)
        model.eval()
        with torch.no_grad():
            last = model(torch.from_numpy(x), torch.from_numpy(lengths))
            scores[:, known] = (last @ model.item_embedding.weight.T).numpy()[:, codes[known]]
        return scores

    return score


def _weights(model: SASRec) -> int:
    return sum(weight.numel() for weight in model.parameters())


if __name__ == "__main__":
    measuring.main({"train": train, "evaluate": evaluate, "quality": quality})

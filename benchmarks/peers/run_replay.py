"""RePlay: SasRec of `replay.nn` with full cross-entropy; its defaults for a course.

Variant "buckets": rows of like length go through the encoder together, and padding that no row of a
batch needs is cut off.
"""

import warnings
from collections.abc import Mapping
from pathlib import Path

import lightning
import measuring
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from exported import Exported, left_padded
from measuring import Course, Found, LightningCourse, LightningMeter, Meter, Options
from numpy.typing import NDArray
from replay.data import FeatureHint, FeatureSource, FeatureType
from replay.data.nn import ParquetModule, TensorFeatureInfo, TensorFeatureSource, TensorSchema
from replay.nn.lightning import LightningModule
from replay.nn.lightning.callback import ComputeMetricsCallback
from replay.nn.lightning.postprocessor import SeenItemsFilter
from replay.nn.sequential import LengthBucketedQueryEncoder, SasRec
from replay.nn.transform import AdaptiveTrimTransform, TargetAwareAdaptiveTrimTransform
from replay.nn.transform.template import make_default_sasrec_transforms

from ranking import Score

BUCKET = 16  # rows of a batch that go through the encoder together
USERS_AT_ONCE = 256  # RecTools' default, too
ITEM = "item_id"


class MeterCallback(LightningMeter, lightning.Callback):
    """Meters the training."""


class CourseCallback(LightningCourse, lightning.Callback):
    """Validates after epochs."""


def train(options: Options, data: Exported) -> Found:
    """Throughput of the equal model."""
    meter = Meter(options)
    model = _model(options, data, equal=True)
    trainer = _trainer(options.epochs + 1, MeterCallback(meter, _count))
    trainer.fit(LightningModule(model), _module(options, data, data.max_length, "train"))
    torch.save(model.state_dict(), options.folder / _file(options))
    return meter.result(_weights(model))


def evaluate(options: Options, data: Exported) -> Found:
    """RePlay's validation: all items scored, seen ones left out, metrics of the first ten."""
    model = _model(options, data, equal=True)
    model.load_state_dict(torch.load(options.folder / _file(options)))
    seen = SeenItemsFilter(data.num_items)
    metrics = ComputeMetricsCallback(["ndcg", "recall"], [10], [seen], data.num_items, verbose=False)
    trainer = _trainer(1, metrics)
    module = _module(options, data, data.max_length, "validate")

    def validate() -> dict[str, float]:
        found = trainer.validate(LightningModule(model), module, verbose=False)[0]
        return {"ndcg@10": found["ndcg@10"], "hr@10": found["recall@10"]}

    return measuring.timed_twice(validate)


def quality(options: Options, data: Exported) -> Found:
    """The course of the library's defaults, or of the equal model."""
    model = _model(options, data, equal=options.equal)
    length = data.max_length if options.equal else 50  # the default of `from_params`
    course = Course(options, data)
    callback = CourseCallback(course, lambda module: _scorer(module.model, data, length))
    trainer = _trainer(measuring.ENDLESS, callback)
    module = _module(options, data, length, "train")
    trainer.fit(LightningModule(model), module, ckpt_path=measuring.checkpoint(options))
    return course.result(_weights(model))


def _model(options: Options, data: Exported, *, equal: bool) -> SasRec:
    torch.set_num_threads(options.threads)
    asked: dict[str, int | float] = {}
    if equal:
        asked = {
            "embedding_dim": measuring.WIDTH,
            "num_blocks": measuring.LAYERS,
            "num_heads": measuring.HEADS,
            "dropout": options.dropout,
            "max_sequence_length": data.max_length,
        }
    schema = _schema(data, measuring.WIDTH if equal else 192)
    model = SasRec.from_params(schema, **asked)
    if options.variant == "buckets":
        model.body.encoder = LengthBucketedQueryEncoder(model.body.encoder, BUCKET)
    return model


def _schema(data: Exported, width: int) -> TensorSchema:
    return TensorSchema(
        TensorFeatureInfo(
            ITEM,
            FeatureType.CATEGORICAL,
            is_seq=True,
            feature_hint=FeatureHint.ITEM_ID,
            feature_sources=[TensorFeatureSource(FeatureSource.INTERACTIONS, ITEM)],
            cardinality=data.num_items,
            padding_value=data.num_items,
            embedding_dim=width,
        )
    )


def _module(options: Options, data: Exported, length: int, stage: str) -> ParquetModule:
    file = options.folder / f"replay-{stage}.parquet"
    _write(file, data, stage)
    transforms = make_default_sasrec_transforms(_schema(data, 1))
    if options.variant == "buckets":
        # After the masks have their names, and before that of the targets gets another dimension.
        transforms["train"].insert(2, TargetAwareAdaptiveTrimTransform([ITEM, "positive_labels"]))
        transforms["validate"].insert(1, AdaptiveTrimTransform(ITEM))
    padding = data.num_items
    longest = int(np.diff(data.offsets).max())
    columns = {
        "train": {ITEM: {"shape": length + 1, "padding": padding}},
        "validate": {
            ITEM: {"shape": length, "padding": padding},
            "seen_ids": {"shape": longest, "padding": padding},
            "ground_truth": {"shape": 1, "padding": -1},
        },
    }
    sizes = {"train": measuring.SEQUENCES, "validate": USERS_AT_ONCE}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the other stages have no file
        return ParquetModule(sizes, columns, transforms, **{f"{stage}_path": str(file)})


def _write(file: Path, data: Exported, stage: str) -> None:
    users = np.arange(data.num_users) if stage == "train" else data.target_users
    histories = [data.history(user) for user in users.tolist()]
    table: dict[str, list[NDArray[np.int64]] | list[list[int]]] = {}
    table[ITEM] = [history for history in histories if stage != "train" or len(history) > 1]
    if stage == "validate":
        table["seen_ids"] = table[ITEM]
        table["ground_truth"] = [[item] for item in data.target_items.tolist()]
    pq.write_table(pa.table({name: pa.array(rows) for name, rows in table.items()}), file)


def _trainer(epochs: int, callback: lightning.Callback) -> lightning.Trainer:
    return lightning.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        devices=1,
        limit_val_batches=None if isinstance(callback, ComputeMetricsCallback) else 0,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        logger=False,
        callbacks=[callback],
    )


def _scorer(model: SasRec, data: Exported, length: int) -> Score:
    def score(users: NDArray[np.int64]) -> NDArray[np.float32]:
        items = torch.from_numpy(left_padded(data, users, length, data.num_items))
        model.eval()
        with torch.no_grad():
            logits = model(feature_tensors={ITEM: items}, padding_mask=items != data.num_items)["logits"]
        model.train()
        return logits.numpy()

    return score


def _count(batch: Mapping[str, torch.Tensor]) -> int:
    # The first event of a history that is no longer than the window has itself no event before it.
    return int((batch["target_padding_mask"].squeeze(-1) & batch["padding_mask"]).sum())


def _file(options: Options) -> str:
    return f"replay-{options.variant}.pt"


def _weights(model: SasRec) -> int:
    return sum(weight.numel() for weight in model.parameters())


if __name__ == "__main__":
    measuring.main({"train": train, "evaluate": evaluate, "quality": quality})

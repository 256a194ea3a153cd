"""A log and a table in one training: they share the encoder, and each has its own door."""

import warnings

import intertask as it
from intertask.runs import run as runs

from ..cli.test_predict import write_files

LOG = """\
width = 8
max_length = 8
[data]
dataset = {kind = "synthetic", users = 60, items = 12, length = 8}
[tasks.next]
kind = "next_item"
[streams.clinic]
data = {rows = {path = "patients.csv", labels = ["ill"], group = "hospital"}}
share = ["encoder"]
[streams.clinic.tasks.ill]
kind = "category"
[train]
epochs = 1
workers = 0
[evaluation]
resamples = 100
baselines = {popularity = {kind = "popularity"}}
references = {}
"""


def test_a_log_and_a_table_train_one_encoder(tmp_path):
    write_files(tmp_path)
    (tmp_path / "both.toml").write_text(LOG)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = runs.train(tmp_path / "both.toml", tmp_path / "run")
    assert fitted.trained.monitor == "all"
    shop, clinic = it.load(tmp_path / "run"), it.load(tmp_path / "run" / "streams" / "clinic")
    assert isinstance(shop, it.Recommender) and isinstance(clinic, it.Predictor)
    shared = clinic.model.encoder.state_dict()
    for name, weight in shop.model.encoder.state_dict().items():
        assert (weight == shared[name]).all()
    found = runs.measure(tmp_path / "run" / "streams" / "clinic")
    assert {row.system for row in found.responses} == {"intertask", "base rate"}

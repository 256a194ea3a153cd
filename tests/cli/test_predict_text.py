"""`intertask predict` of texts."""

import json

import polars as pl

import intertask as it
from tests.samples.reviews import reviews


def test_texts_are_answered_whatever_marks_they_hold(tmp_path, intertask):
    recipe = it.Recipe(
        width=8, input={"kind": "text"}, tasks={"mood": "category"}, train={"epochs": 1, "batch_tokens": 512}
    )
    model = it.Predictor(recipe).fit(reviews(60))
    model.save(tmp_path / "model")
    asked = ["happy, of course", "sad=bad"]
    told = model.predict([{"text": text} for text in asked]).to_dicts()
    done = intertask("predict", tmp_path / "model", "--json", "--text", asked[0], "--text", asked[1])
    assert done.code == 0 and json.loads(done.out) == told
    pl.DataFrame({"text": asked}).write_ndjson(tmp_path / "rows.jsonl")
    done = intertask("predict", tmp_path / "model", "--json", "--file", tmp_path / "rows.jsonl")
    assert done.code == 0 and json.loads(done.out) == told
    done = intertask("predict", tmp_path / "model", "--image", "1.png")
    assert done.code != 0 and "a model with one such input, found text" in done.err
    done = intertask("predict", tmp_path / "model", "--text", "")
    assert done.code == 0  # an empty text is a text

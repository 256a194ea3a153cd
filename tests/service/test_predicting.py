"""Any task of any model: rows are answered as by the library, items are judged."""

import base64
import io

import numpy as np
import polars as pl
import pytest
from PIL import Image

import intertask as it
from intertask.service import registry
from intertask.service.database import Writing
from intertask.service.versions import AddVersion
from tests import shop

ROWS = [
    {"size": float(n), "colour": "red" if n % 3 else "blue", "fits": "yes" if n >= 20 else "no"}
    for n in range(60)
]


@pytest.fixture(scope="module")
def predictor():
    recipe = it.Recipe(width=8, tasks={"fits": "category"}, train={"epochs": 2})
    return it.Predictor(recipe).fit(ROWS)


def published(client, store: Writing, place, model, folder):
    """Version 3 of the tenant, published while it runs."""
    model.save(folder)
    added = registry.add(folder, place.models)
    with store.transaction():
        version = AddVersion(tenant=1, digest=added.digest, facts=added.facts).run(store)
    found = client.post("/v1/models/publish", json={"version": version.version})
    assert found.status_code == 200, found.text
    return added


def ask(client, status=200, **body):
    found = client.post("/v1/predict", json=body)
    assert found.status_code == status, found.text
    return found.json()


def test_rows_are_answered_as_by_the_library(client, store, place, predictor, tmp_path):
    assert "a published model of rows, found none" in ask(client, 404, rows=[{"size": 1}])["detail"]
    published(client, store, place, predictor, tmp_path / "rows")
    rows = [{"size": 3.0, "colour": "red"}, {"size": 50}, {"colour": None}]
    found = ask(client, rows=rows)
    expected = predictor.predict(rows).to_dicts()
    assert found["model"] == "v3" and len(found["predictions"]) == 3
    for one, other in zip(found["predictions"], expected, strict=True):
        assert one["fits"] == other["fits"]
        assert one["fits_probability"] == pytest.approx(other["fits_probability"], abs=1e-6)
    assert ask(client, rows=rows, task="fits", at_least=1)["predictions"][0]["fits"] is None
    # What ranks items goes on beside it.
    assert client.post("/v1/recommend", json={"user": "ü1"}).json()["model"] == "v1"
    assert {one["version"] for one in client.get("/v1/models").json()["models"] if one["active"]} == {1, 3}


def test_what_cannot_be_answered_is_told_in_one_line(client, store, place, predictor, tmp_path):
    published(client, store, place, predictor, tmp_path / "rows")
    for body, status, words in (
        ({}, 400, "body: expected rows or items, found both or neither"),
        ({"rows": []}, 400, "rows: expected"),
        ({"rows": [{}]}, 400, ""),
        ({"rows": [{"weight": 1}]}, 400, "weight"),
        ({"rows": [{"size": "big"}]}, 400, "size"),
        ({"rows": [{"size": 1}], "task": "?"}, 400, "task: expected a task: fits"),
        ({"rows": [{"size": 1}], "at_least": 2}, 400, "at_least"),
        ({"rows": [{"size": {}}]}, 400, "rows.0.size"),
        ({"items": ["№1"]}, 400, "a task and a user or a history with items"),
        ({"items": ["№1"], "user": "ü1", "task": "next"}, 400, "task: expected a response task: liked"),
        ({"items": ["№1"], "user": "nobody", "task": "liked"}, 400, "at least one event of a known item"),
    ):
        detail = ask(client, status, **body)["detail"]
        assert words in detail and "\n" not in detail, detail
    refused = client.post("/v1/models/publish", json={"version": 3, "canary": {}})
    assert refused.status_code == 409 and "a model that ranks items" in refused.json()["detail"]
    arms = [{"name": "a"}, {"name": "b", "version": 3}]
    assert client.put("/v1/experiments", json={"name": "x", "arms": arms}).status_code == 409


def test_items_are_judged_as_by_the_library(client):
    items = ["№1", "?", "№4"]
    history = [{"item": "№1", "behaviour": "buy"}, {"item": "№2", "behaviour": "view"}]
    steps = [[(one["item"], one["behaviour"]) for one in history]]
    for body, options in (({"user": "ü1"}, {"users": ["ü1"]}), ({"history": history}, {"histories": steps})):
        found = ask(client, items=items, task="liked", **body)["predictions"]
        expected = shop.recommender().predict(items=["№1", "№4"], task="liked", **options)
        assert [one["item"] for one in found] == items and "liked" not in found[1]
        told = [found[0]["liked"], found[2]["liked"]]
        np.testing.assert_allclose(told, expected["liked"].to_list(), atol=1e-5)


def test_pictures_come_as_bytes_and_never_as_paths(client, store, place, tmp_path, address):
    if address != "sqlite":
        pytest.skip("no matter of the database")

    def picture(light):
        content = io.BytesIO()
        Image.fromarray(np.full((8, 8), light, np.uint8)).save(content, "PNG")
        return content.getvalue()

    rows = [{"photo": picture(60 * (n % 2) + n), "light": "yn"[n % 2]} for n in range(40)]
    held = it.Rows.read(pl.DataFrame(rows), labels=["light"], files=["photo"])
    recipe = it.Recipe(
        width=8,
        inputs={"photo": {"kind": "image", "column": "photo", "size": [8, 8], "mode": "gray", "patch": 4}},
        tasks={"light": "category"},
        train={"epochs": 1},
    )
    published(client, store, place, it.Predictor(recipe).fit(held), tmp_path / "pictures")
    sent = base64.b64encode(picture(70)).decode()
    assert ask(client, rows=[{"photo": sent}])["predictions"][0]["light"] in ("y", "n")
    for text in ("/etc/passwd", "", base64.b64encode(b"/etc/passwd").decode(), "%%%"):
        detail = ask(client, 400, rows=[{"photo": text}])["detail"]
        assert "root" not in detail and "\n" not in detail

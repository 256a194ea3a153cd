"""The interface is written down, and no change of it goes unnoticed."""

import hashlib
import inspect
import json
from pathlib import Path

import pytest

from intertask.service import (
    administration,
    bodies,
    experiment_bodies,
    fields,
    job_bodies,
    list_bodies,
    openapi,
    prediction_bodies,
    routes,
    rule_bodies,
)

COMMITTED = Path(__file__).parents[2] / "docs" / "reference" / "openapi.json"
# A line for each version of the interface, never changed: what is published stays what it was.
PUBLISHED = Path(__file__).parent / "interface_versions.json"


def test_the_committed_document_is_that_of_the_routes():
    assert COMMITTED.read_text(encoding="utf-8") == openapi.document(), (
        "the interface has changed: run docs/programs/write.py, raise routes.VERSION, and add its digest"
    )


def test_a_changed_interface_has_a_new_version():
    table = json.loads(openapi.document())
    del table["info"]["version"]
    digest = hashlib.sha256(json.dumps(table, sort_keys=True).encode()).hexdigest()
    published = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    assert published.get(routes.VERSION) == digest, (
        f"the interface is not that of version {routes.VERSION}: raise routes.VERSION and add {digest}"
    )
    assert len(set(published.values())) == len(published)


def test_every_route_and_every_body_is_in_the_document():
    table = json.loads(openapi.document())
    for route in routes.ROUTES:
        operation = table["paths"][route.path][route.method.lower()]
        assert operation["summary"] == route.told and route.told.endswith(".")
        ((kind, content),) = operation["responses"]["200"]["content"].items()
        if issubclass(route.answer, job_bodies.FileAnswer):
            page = route.answer is job_bodies.ReportAnswer
            assert kind == ("text/html" if page else "application/jsonl")
        else:
            assert content["schema"]["$ref"].rpartition("/")[2] in table["components"]["schemas"]
    ids = [one["operationId"] for methods in table["paths"].values() for one in methods.values()]
    assert len(ids) == len(set(ids))


def _references(node):
    if isinstance(node, dict):
        yield from [node["$ref"]] if "$ref" in node else []
        for part in node.values():
            yield from _references(part)
    elif isinstance(node, list):
        for part in node:
            yield from _references(part)


def test_every_reference_leads_somewhere():
    table = json.loads(openapi.document())
    named = {f"#/components/schemas/{name}" for name in table["components"]["schemas"]}
    assert set(_references(table)) <= named


BODIES = {
    kind
    for module in (
        bodies,
        list_bodies,
        rule_bodies,
        prediction_bodies,
        experiment_bodies,
        job_bodies,
        administration,
    )
    for _, kind in inspect.getmembers(module, inspect.isclass)
    if issubclass(kind, fields.Body)
}


@pytest.mark.parametrize("kind", sorted(BODIES, key=str))
def test_every_body_refuses_unknown_names(kind):
    assert kind.model_config["extra"] == "forbid" and kind.__doc__

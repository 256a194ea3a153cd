"""What schemathesis makes of the committed interface is answered as the interface says."""

import json
from pathlib import Path

import httpx
import pytest

pytest.importorskip("schemathesis", reason='pip install "intertask[dev]"')
BENCHMARKS = Path(__file__).parents[2] / "benchmarks" / "service"
SOME = ("GET /v1/users", "POST /v1/recommend/next", "POST /v1/rerank")


@pytest.fixture
def contract(address, client, monkeypatch):
    if address != "sqlite":
        pytest.skip("what differs between databases is tested elsewhere")
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from contract import Contract

    return Contract(client.request, client.headers["authorization"].partition(" ")[2])


def test_answers_are_those_of_the_document(contract):
    contract.try_all(1, seed=3, only=SOME)
    found = contract.table()
    assert found["met"], found
    assert found["requests"] == 2 * len(SOME) and found["statuses"].keys() <= {"200", "400", "404", "409"}


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [(500, {}, "ServerError"), (418, {}, "UndefinedStatusCode"), (200, {"user": 1}, "JsonSchemaError")],
)
def test_an_answer_that_the_document_has_not_is_told(status, body, told, monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from contract import Contract

    told_as = {"content-type": "application/json"}

    def answered(_request):
        return httpx.Response(status, headers=told_as, stream=httpx.ByteStream(json.dumps(body).encode()))

    transport = httpx.MockTransport(answered)
    with httpx.Client(transport=transport, base_url="http://127.0.0.1") as client:
        contract = Contract(client.request, "key")
        contract.try_all(1, seed=3, only=SOME[:1])
    found = contract.table()
    assert not found["met"] and told in str(found["broken"])

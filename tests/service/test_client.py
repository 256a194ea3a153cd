"""The client package against the real routes: retries, keys of requests, refusals."""

import sys
from pathlib import Path

import pytest

httpx = pytest.importorskip("httpx", reason="pip install httpx")
sys.path.insert(0, str(Path(__file__).parents[2] / "clients" / "python" / "src"))
package = pytest.importorskip("intertask_client")
module = pytest.importorskip("intertask_client.client")
Client, Refused, Unreachable = package.Client, package.Refused, package.Unreachable

EVENT = {"user": "ü9", "item": "№1", "behaviour": "buy"}


@pytest.fixture
def asked(client, monkeypatch):
    """Makes a client whose network is the service of the test; it may fail first, or lose answers."""
    waited: list[float] = []
    monkeypatch.setattr(module.time, "sleep", waited.append)

    def make(failures=(), **options):
        left = list(failures)

        def handle(request):
            what = left.pop(0) if left else None
            if what == "lost":  # it is done, and nobody hears of it
                pass
            elif what == "gone":
                raise httpx.ConnectError("refused")
            elif what is not None:
                return httpx.Response(what, headers={"retry-after": "3"}, json={"detail": "later"})
            found = client.request(
                request.method,
                request.url.raw_path.decode(),
                content=request.content,
                headers=dict(request.headers),
            )
            if what == "lost":
                raise httpx.ReadTimeout("silence")
            headers = {"content-type": found.headers["content-type"]}
            return httpx.Response(found.status_code, content=found.content, headers=headers)

        key = client.headers["authorization"].removeprefix("Bearer ")
        return Client("http://service", key, transport=httpx.MockTransport(handle), **options)

    make.waited = waited
    return make


def test_it_sends_and_asks(asked):
    with asked() as client:
        assert client.send([EVENT])["stored"] == 1
        assert len(client.recommend("ü9", k=3)["items"]) == 3
        assert client.recommend(history=[{"item": "№1"}], k=2)["model"] == "v1"
        pages = [one["item"] for page in client.pages("ü9", k=4, seen=False) for one in page["items"]]
        assert len(pages) == len(set(pages)) == 15
        assert client.similar("№3", 2)["items"] and client.put_items([{"item": "№1"}])["changed"]
        assert client.ask("GET", "/v1/users", query={"user": "ü9"})["events"][-1]["item"] == "№1"


def test_a_request_whose_answer_is_lost_stores_nothing_twice(asked):
    with asked(["lost", 503, "gone"]) as client:
        found = client.send([EVENT])
    assert found["stored"] == 1 and found["replayed"]
    assert len(asked.waited) == 3 and asked.waited[1] >= 3  # as Retry-After says


def test_what_may_not_come_twice_is_not_sent_again_into_silence(asked):
    with asked(["lost"]) as client:
        with pytest.raises(Unreachable, match="no answer after 1 of 5 tries; ReadTimeout"):
            client.ask("POST", "/v1/keys", {"role": "read", "label": "once"})
        assert len([one for one in client.ask("GET", "/v1/keys")["keys"] if one["label"] == "once"]) == 1


def test_refusals_are_told_at_once_and_silence_after_all_tries(asked):
    with asked() as client, pytest.raises(Refused, match=r"events\.0\.behaviour: expected one of") as caught:
        client.send([EVENT | {"behaviour": "?"}])
    assert caught.value.status == 400 and caught.value.where == "events.0.behaviour" and not asked.waited
    with asked(["gone"] * 9, tries=3) as client, pytest.raises(Unreachable, match="3 of 3 tries"):
        client.recommend("ü9")
    with asked([429] * 9, tries=2) as client, pytest.raises(Refused, match="later"):
        client.recommend("ü9")
    with pytest.raises(ValueError, match="tries: expected 1 or more"):
        Client("http://x", "k", tries=0)
    assert set(package.__all__) == {"Client", "Refused", "Unreachable"}

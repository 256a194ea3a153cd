"""Web pages of other addresses ask from a browser where the settings name them, and nowhere else."""

import pytest

from intertask.errors import RequestError
from intertask.service.settings import read
from tests.service.asking import asking

PAGE = "https://shop.example"
WANTS = {"origin": PAGE, "access-control-request-method": "POST"}


@pytest.fixture
def open_client(place, key):
    settings = place.settings.model_copy(update={"origins": (PAGE,)})
    with asking(place.model_copy(update={"settings": settings}), key("browser")) as client:
        yield client


def test_a_page_that_is_named_may_ask(open_client):
    wants = WANTS | {"access-control-request-headers": "authorization, content-type, idempotency-key"}
    asked = open_client.options("/v1/recommend", headers=wants)
    assert asked.status_code == 200 and asked.headers["access-control-allow-origin"] == PAGE
    told = open_client.post("/v1/recommend", json={"user": "ü1"}, headers={"origin": PAGE})
    assert told.status_code == 200 and told.headers["access-control-allow-origin"] == PAGE
    assert "access-control-allow-credentials" not in told.headers
    refused = open_client.post("/v1/recommend", json={"k": -1}, headers={"origin": PAGE})
    assert refused.status_code == 400 and refused.headers["access-control-allow-origin"] == PAGE


def test_another_page_may_not(open_client):
    other = {"origin": "https://shop.example.evil"}
    assert open_client.options("/v1/recommend", headers=WANTS | other).status_code == 400
    told = open_client.post("/v1/recommend", json={"user": "ü1"}, headers=other)
    assert "access-control-allow-origin" not in told.headers


def test_no_page_may_unless_the_settings_say_so(client):
    assert client.options("/v1/recommend", headers=WANTS).status_code == 405
    told = client.post("/v1/recommend", json={"user": "ü1"}, headers={"origin": PAGE})
    assert told.status_code == 200 and "access-control-allow-origin" not in told.headers


@pytest.mark.parametrize(
    "origin", ["shop.example", "https://shop.example/", "https://a b", "ftp://x", "null"]
)
def test_what_is_no_origin_is_refused(origin, tmp_path):
    (tmp_path / "service.toml").write_text(f'origins = ["{origin}"]')
    with pytest.raises(RequestError, match="origins: expected addresses such as"):
        read(tmp_path / "service.toml", {})

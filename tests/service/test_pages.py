"""The page to try a service on: no key, no script or style of others, every route in the reference."""

import re
from pathlib import Path

from intertask.service import pages
from intertask.service.routes import ROUTES


def test_pages_need_no_key_and_run_nothing_of_others(client):
    for path in ("/", "/reference"):
        found = client.get(path, headers={"authorization": ""})
        assert found.status_code == 200 and found.headers["content-type"].startswith("text/html")
        policy = found.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert not re.search(r"<script(?![^>]* src=\"/page/)|<style|\son\w+=|style=|https?://", found.text)
        for link in re.findall(r'(?:href|src)="(/[^"]*)"', found.text):
            assert client.get(link).status_code == 200, link
    assert "Everything answers." in client.get("/").text
    assert (
        client.get("/page/../page.html").status_code == 404
        and client.get("/page/page.html").status_code == 404
    )


def test_the_page_says_what_is_wrong(client, monkeypatch):
    monkeypatch.setattr(client.app.state.running.engine, "models", {})
    assert "No model is loaded yet." in client.get("/").text


def test_the_reference_has_every_route_with_an_example(client):
    shown = {(one["method"], one["path"]): one for one in pages.operations()}
    assert set(shown) == {(route.method, route.path) for route in ROUTES}
    text = client.get("/reference").text
    assert all(f"<code>{route.path}</code>" in text for route in ROUTES)
    assert '"events"' in shown["POST", "/v1/events"]["example"]


def test_scripts_and_styles_are_small():
    files = [Path(pages.__path__[0]) / name for name in ("page.js", "page.css")]
    assert sum(len(file.read_text(encoding="utf-8").splitlines()) for file in files) < 2_500


def test_titles_come_with_a_list_where_they_are_asked_for(client):
    body = {"user": "ü1", "k": 3, "titles": True, "explain": True}
    found = client.post("/v1/recommend", json=body).json()["items"]
    assert [one["title"] for one in found] == [f"Thing {one['item'][1:]}" for one in found]
    assert all(reason["title"].startswith("Thing") for one in found for reason in one["because"])
    item = found[0]["item"]
    client.put("/v1/items", json={"items": [{"item": item, "properties": {"title": "Mine"}}]})
    again = client.post("/v1/recommend", json=body).json()["items"]
    assert next(one for one in again if one["item"] == item)["title"] == "Mine"
    assert "title" not in client.post("/v1/recommend", json={"user": "ü1"}).json()["items"][0]

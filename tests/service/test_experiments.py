"""Experiments: arms are stable, their lists are kept with them, and what they led to is counted."""

import collections

import numpy as np
import pytest

from intertask.service import effects, sizes
from intertask.service.experiments import Arm, Experiment
from tests import shop

ARMS = [{"name": "control"}, {"name": "buys", "changes": {"task": "buys", "explore": {"temperature": 0.5}}}]


def ask(client, user, status=200, **body):
    found = client.post("/v1/recommend", json={"user": user, "k": 3, "seen": False} | body)
    assert found.status_code == status, found.text
    return found.json()


def begin(client, status=200, **body):
    found = client.put("/v1/experiments", json={"name": "x", "arms": ARMS} | body)
    assert found.status_code == status, found.text
    client.app.state.running.treatments._known.clear()  # what goes on is looked up again after half a second
    return found.json()


def flush(client):
    client.portal.call(client.app.state.running.recorder.flush)


def test_people_are_shared_out_by_weight_and_stay_where_they_are():
    arms = (Arm(name="a", weight=3.0), Arm(name="b", weight=1.0))
    one, other = (Experiment(name=name, arms=arms, share=0.5) for name in ("x", "y"))
    found = {person: one.arm(1, str(person)) for person in range(20_000)}
    counts = collections.Counter(arm.name for arm in found.values() if arm)
    assert counts["a"] == pytest.approx(7_500, abs=300) and counts["b"] == pytest.approx(2_500, abs=200)
    assert all(one.arm(1, str(person)) == arm for person, arm in found.items())
    for tenant, experiment in ((1, other), (2, one)):  # other experiments share out otherwise
        same = sum(experiment.arm(tenant, str(person)) == arm for person, arm in found.items())
        assert same < 10_000


def test_an_arm_asks_in_its_own_way_and_its_lists_are_kept_with_it(client):
    begin(client)
    names = set()
    for user in map(str, range(12)):
        client.post("/v1/events", json={"events": [{"user": user, "item": "№3", "behaviour": "view"}]})
        answer = ask(client, user)
        again = ask(client, user)
        assert answer["arm"] == again["arm"] and answer["experiment"] == "x"
        assert ("propensity" in answer["items"][0]) == (answer["arm"] == "buys")
        names.add(answer["arm"])
        flush(client)
        kept = client.get("/v1/recommendations", params={"recommendation": answer["recommendation"]}).json()
        assert kept["lists"][0]["arm"] == answer["arm"]
        page = client.post("/v1/recommend/next", json={"cursor": answer["cursor"]}).json()
        assert page["arm"] == answer["arm"]
    assert names == {"control", "buys"}
    assert "arm" not in client.post("/v1/recommend", json={"history": [{"item": "№3"}]}).json()


def test_another_version_answers_an_arm_when_every_process_has_it(client):
    begin(client, arms=[{"name": "old"}, {"name": "new", "version": 2}])
    models = {}
    for user in map(str, range(12)):
        answer = ask(client, user)
        models.setdefault(answer["arm"], set()).add(answer["model"])
    assert models == {"old": {"v1"}, "new": {"v2"}}
    assert client.post("/v1/experiments/end", json={"name": "x"}).json() == {"changed": True}
    client.app.state.running.treatments._known.clear()
    assert {ask(client, user)["model"] for user in map(str, range(12))} == {"v1"}
    (shown,) = client.get("/v1/experiments").json()["experiments"]
    assert shown["ended"] and shown["arms"][1]["version"] == 2


def test_what_lists_led_to_is_counted_by_arm(client):
    begin(client, goals=["buy"])
    hits = collections.Counter()
    lists = collections.Counter()
    for user in map(str, range(20)):
        answer = ask(client, user)
        flush(client)
        lists[answer["arm"]] += 1
        item = answer["items"][0]["item"] if int(user) % 3 else "another"
        behaviour = "buy" if int(user) % 2 else "view"
        hits[answer["arm"]] += item != "another" and behaviour == "buy"
        event = {
            "user": user,
            "item": item,
            "behaviour": behaviour,
            "recommendation": answer["recommendation"],
        }
        client.post("/v1/events", json={"events": [event]})
    found = client.get("/v1/experiments/result", params={"name": "x"}).json()
    assert {one["name"]: (one["lists"], one["hits"]) for one in found["arms"]} == {
        arm: (lists[arm], hits[arm]) for arm in ("control", "buys")
    }
    (effect,) = found["effects"]
    rates = [one["hits"] / one["lists"] for one in found["arms"]]
    assert effect["difference"] == pytest.approx(rates[1] - rates[0])
    assert effect["low"] <= effect["difference"] <= effect["high"] and found["trusted"]
    assert client.get("/v1/experiments/result", params={"name": "?"}).status_code == 404


def test_an_experiment_is_for_its_scenario_and_its_share(client):
    begin(client, scenario="home", share=0.5)
    assert all("arm" not in ask(client, str(n)) for n in range(6))
    inside = sum("arm" in ask(client, str(n), scenario="home") for n in range(40))
    assert 8 < inside < 32


def test_an_experiment_that_cannot_be_is_refused(client):
    for body, status, words in (
        ({"arms": ARMS[:1]}, 400, "arms: expected"),
        ({"arms": [ARMS[0], ARMS[0]]}, 400, "arms of different names"),
        ({"arms": [ARMS[0], {"name": "b", "weight": 0}]}, 400, "arms.1.weight"),
        ({"arms": [ARMS[0], {"name": "b", "version": 9}]}, 404, "version: expected a version of your models"),
        ({"arms": [ARMS[0], {"name": "b", "changes": {"k": 3}}]}, 400, "arms.1.changes.k"),
        ({"share": 2}, 400, "share"),
    ):
        assert words in begin(client, status, **body)["detail"]
    assert [begin(client)["changed"] for _ in range(2)] == [True, False]
    assert "a name that no experiment had" in begin(client, 409, share=0.1)["detail"]
    assert client.post("/v1/experiments/end", json={"name": "?"}).status_code == 404


def test_goals_and_rules_of_what_was_seen_name_behaviours_that_there_are(client):
    arms = [{"name": "a"}, {"name": "b"}]
    for route, method, body, where in (
        ("/v1/experiments", "PUT", {"name": "zz", "arms": arms, "goals": ["buy", "zz"]}, "goals.1"),
        ("/v1/experiments/size", "POST", {"goals": ["zz"]}, "goals.0"),
        ("/v1/experiments/estimate", "POST", {"goals": ["zz"]}, "goals.0"),
        ("/v1/recommend", "POST", {"user": "u", "seen": {"behaviours": ["zz"]}}, "seen.behaviours.0"),
    ):
        refused = client.request(method, route, json=body)
        assert refused.status_code == 400, refused.text
        assert refused.json()["detail"].startswith(f"{where}: expected one of buy, cart, view, found 'zz'")
    assert client.get("/v1/experiments").json()["experiments"] == []  # and the name may be used


def test_an_estimate_from_drawn_lists_is_that_of_their_first_places(client):
    estimate = "/v1/experiments/estimate"
    ask(client, "ü1")
    flush(client)
    refused = client.post(estimate, json={})
    assert refused.status_code == 409 and "lists that were drawn at random" in refused.json()["detail"]
    explore = {"temperature": 1.0, "among": 15}
    rewards, weights = [], []
    for n in range(30):
        user = shop.user_id(n)
        best = ask(client, user, seen=None)["items"][0]["item"]
        answer = ask(client, user, seen=None, explore=explore)
        flush(client)
        first = answer["items"][0]
        won = n % 3 == 0
        if won:
            event = {"user": user, "item": first["item"], "behaviour": "buy"}
            event["recommendation"] = answer["recommendation"]
            client.post("/v1/events", json={"events": [event]})
        rewards.append(won)
        weights.append((first["item"] == best) / first["propensity"])
    found = client.post(estimate, json={"goals": ["buy"]}).json()
    gained = np.array(rewards) * np.array(weights)
    assert found["lists"] == 30 and found["logged"] == pytest.approx(np.mean(rewards))
    assert found["ips"] == pytest.approx(gained.mean())
    assert found["snips"] == pytest.approx(gained.sum() / np.sum(weights))
    same = client.post(estimate, json={"goals": ["buy"], "explore": explore}).json()
    assert same["ips"] == pytest.approx(found["logged"], abs=1e-4) and same[
        "largest_weight"
    ] == pytest.approx(1, abs=1e-3)
    other = client.post(estimate, json={"version": 2, "goals": ["view"]}).json()
    assert other["ips"] == other["snips"] == 0


def test_the_predicted_size_shows_the_difference_four_times_in_five():
    random, weights, rate, lift = np.random.default_rng(5), (1.0, 3.0), 0.2, 0.25

    def people(number, rate):
        lists = random.geometric(0.3, number)
        return effects.share(lists, random.binomial(lists, rate))

    known = people(20_000, rate)
    total = sizes.needed(known.error**2 * known.people, lift * rate, weights)
    seen = sum(
        effects.effect(people(total // 4, rate), people(3 * total // 4, rate * (1 + lift))).p_value < 0.05
        for _ in range(300)
    )
    assert 0.73 * 300 <= seen <= 0.87 * 300


def test_an_experiment_is_told_how_many_people_it_needs(client):
    assert begin(client) == {"changed": True, "size": None}
    refused = client.post("/v1/experiments/size", json={})
    assert refused.status_code == 409 and "lists for 20 users" in refused.json()["detail"]
    for user in range(24):
        answer = ask(client, f"new{user}")
        if user % 3 == 0:
            event = {"user": f"new{user}", "item": answer["items"][0]["item"], "behaviour": "buy"}
            named = event | {"recommendation": answer["recommendation"]}
            assert client.post("/v1/events", json={"events": [named]}).status_code == 200
    flush(client)
    found = client.post("/v1/experiments/size", json={"goals": ["buy"], "detect": 0.1}).json()
    assert (found["lists"], found["rate"]) == (24, pytest.approx(1 / 3))
    # 7.85 / (.1 / 3)^2 x the variance of a person (2/9 x (24/23)^2, each against the others) x (2 + 2)
    assert found["people"] == pytest.approx(6_838, rel=0.01) and found["days"] > 0
    finer = client.post("/v1/experiments/size", json={"goals": ["buy"], "detect": 0.05}).json()
    assert finer["people"] == pytest.approx(4 * found["people"], rel=0.01)
    none = client.post("/v1/experiments/size", json={"goals": ["view"]})
    assert none.status_code == 409
    again = begin(client)
    assert not again["changed"] and again["size"]["people"] > 0

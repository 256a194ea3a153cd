"""What a running service can do, asked from one thread of this machine; prints JSON.

python benchmarks/service/figures.py ADDRESS KEY [--events 1000] [--requests 1000] [--rate 100]

freshness  each acknowledged event is in the next answer, by connections that are opened anew in between
ingest     requests of one event a second, and events a second in requests of 1,000
load       how long a list takes at a steady rate, and lists a second at most
"""

import argparse
import json
import time
import uuid

from asker import Asker, Table, percentiles, run, steady, together

BATCH = 1_000


async def freshness(ask: Asker, num: int, items: list[str], behaviour: str) -> Table:
    """Events that were in the next answer, and how long both requests took."""
    fresh, taken, mark = 0, [], uuid.uuid4().hex
    for number in range(num):
        user, item = f"{mark}-{number}", items[number % len(items)]
        began = time.perf_counter()
        status, _ = await ask(
            "/v1/events", {"events": [{"user": user, "item": item, "behaviour": behaviour}]}, anew=True
        )
        assert status == 200
        _, answer = await ask("/v1/recommend", {"user": user, "allow": [item], "seen": True}, anew=True)
        taken.append(time.perf_counter() - began)
        fresh += answer["items"] == [] and answer["degraded"] is None
    return {"events": num, "fresh": fresh, **percentiles(taken)}


async def ingest(ask: Asker, num: int, items: list[str], behaviour: str) -> Table:
    """Requests of one event a second, and events a second in batches."""
    mark = uuid.uuid4().hex

    def event(number: int) -> Table:
        item = items[number % len(items)]
        return {
            "id": f"{mark}-{number}",
            "user": f"{mark}-{number % 997}",
            "item": item,
            "behaviour": behaviour,
        }

    single = await together(ask, num, lambda number: ("/v1/events", {"events": [event(number)]}))
    batches = max(1, num // 100)
    many = await together(
        ask,
        batches,
        lambda batch: (
            "/v1/events",
            {"events": [event(num + batch * BATCH + place) for place in range(BATCH)]},
        ),
    )
    return {"single": single, "batches_of_1000": many}


async def measure(chosen: argparse.Namespace) -> Table:
    """All figures."""
    ask = Asker(chosen.address, chosen.key)
    body: Table = {"history": [{"item": item} for item in chosen.items.split(",")], "k": 10}
    items, behaviour = chosen.items.split(","), chosen.behaviour
    for _ in range(20):
        await ask("/v1/recommend", body)
    return {
        "freshness": await freshness(ask, chosen.events, items, behaviour),
        "ingest": await ingest(ask, chosen.events, items, behaviour),
        "load": await steady(ask, chosen.requests, chosen.rate, body),
        "most": await together(ask, chosen.requests, lambda _number: ("/v1/recommend", body)),
    }


def main() -> None:
    """Print the figures of a service."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("address")
    parser.add_argument("key")
    parser.add_argument("--events", type=int, default=1_000)
    parser.add_argument("--requests", type=int, default=1_000)
    parser.add_argument("--rate", type=float, default=100.0)
    parser.add_argument("--items", default="i1,i2,i3,i4,i5", help="items that the model knows")
    parser.add_argument("--behaviour", default="view", help="a behaviour that it knows")
    print(json.dumps(run(measure(parser.parse_args())), indent=1))


if __name__ == "__main__":
    main()

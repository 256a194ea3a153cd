"""A world in which what is known of people decides what follows where their events say nothing."""

import polars as pl

from intertask import EventLog, Recipe

NUM_USERS, RING = 60, 8


def events() -> pl.DataFrame:
    """All begin with the same item; those who are "even" then walk up, the others down."""
    rows = [
        (user, (step if user % 2 == 0 else -step) % RING, 10 * step)
        for user in range(NUM_USERS)
        for step in range(6)
    ]
    return pl.DataFrame(rows, schema=["user", "item", "time"], orient="row")


def people() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "user": range(NUM_USERS),
            "side": ["even" if user % 2 == 0 else "odd" for user in range(NUM_USERS)],
            "age": [20.0 + user % 7 for user in range(NUM_USERS)],
        }
    )


def recipe(**changes: object) -> Recipe:
    base: dict[str, object] = {
        "width": 16,
        "max_length": 4,
        "inputs": {"person": {"kind": "table", "dropout": 0.0, "num_bins": 3}},
        "encoder": {"kind": "attention", "dropout": 0.0, "num_layers": 1},
        "communication": {"kind": "shared"},
        "train": {"epochs": 12, "workers": 0, "learning_rate": 1e-2, "warmup_steps": 1, "refit": False},
        "evaluation": {
            "history": ("kept",),
            "k": (1, 3),
            "resamples": 100,
            "baselines": {"popularity": "popularity"},
        },
    }
    return Recipe.model_validate(base | changes)


def log() -> EventLog:
    return EventLog.read(events(), time="time")

"""Short texts whose mood follows from their words; and the same in words, each with a tag."""

import numpy as np

from intertask.data.rows import Rows

GOOD, BAD, PLAIN = (
    ("happy", "fine", "great"),
    ("sad", "awful", "poor"),
    ("the", "red", "Tea", "of", "UK", "42"),
)


def lists(count: int, seed: int = 0) -> list[list[str]]:
    """Words of texts of 3 to 9 words."""
    random = np.random.default_rng(seed)
    found = []
    for place in range(count):
        mood = (GOOD, BAD)[place % 2]
        words = [str(word) for word in random.choice(PLAIN, random.integers(2, 9))]
        words.insert(int(random.integers(0, len(words))), str(random.choice(mood)))
        found.append(words)
    return found


def reviews(count: int = 120, seed: int = 0) -> Rows:
    """Texts in one piece with their `mood`."""
    texts = [" ".join(words) for words in lists(count, seed)]
    moods = [("good", "bad")[place % 2] for place in range(count)]
    return Rows.read({"text": texts, "mood": moods}, texts=["text"], labels=["mood"])


def tagged(count: int = 120, seed: int = 0) -> Rows:
    """Words with `tags`: the mood is an entity, and so are Tea and UK together."""
    words = lists(count, seed)
    tags = [[_tag(own, place) for place in range(len(own))] for own in words]
    return Rows.read({"words": words, "tags": tags}, texts=["words"], labels=["tags"], several=["tags"])


def _tag(words: list[str], place: int) -> str:
    word = words[place]
    if word in (*GOOD, *BAD):
        return "B-MOOD"
    if word not in ("Tea", "UK"):
        return "O"
    return "I-NAME" if place and words[place - 1] in ("Tea", "UK") else "B-NAME"

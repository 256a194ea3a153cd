"""A user with what they did and what they would be served. Knows nothing of how it is shown."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    """One user's recent history and recommendations, in words a person can judge.

    Args:
        user: The user's own id.
        history: Title and behaviour of the last few events, oldest first.
        recommended: Title and score of each recommendation, best first.
    """

    user: str
    history: tuple[tuple[str, str], ...]
    recommended: tuple[tuple[str, float], ...]

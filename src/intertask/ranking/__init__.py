"""What ranks beside the model: signals of sources, and what mixes them with the scores of all tasks."""

from intertask.ranking.ranker import History, Key, Ranker, neutral
from intertask.ranking.untrained import lends, untrained

__all__ = ["History", "Key", "Ranker", "lends", "neutral", "untrained"]

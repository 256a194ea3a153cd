"""What ranks beside the model: signals of sources, and what mixes them with the scores of all tasks."""

from intertask.ranking.ranker import History, Key, Ranker, neutral

__all__ = ["History", "Key", "Ranker", "neutral"]

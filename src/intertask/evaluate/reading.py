"""What each task of a model reads of the others."""

from intertask.options.config import Config


class Reading(Config):
    """The shares that each task reads, mean over the last positions of some histories."""

    readers: list[str]
    sources: list[str]  # the tasks, itself among them, then what is no task
    shares: list[list[float]]  # readers x sources; a row sums to one
    gates: list[float]  # how far the gate of each reader is open

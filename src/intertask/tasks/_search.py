"""From the probabilities of letters at each place to the text: the likeliest letters, or a beam over texts.

Letter 0 is the blank of connectionist temporal classification: a place that says nothing.

Source: Graves et al., "Connectionist Temporal Classification", ICML 2006; Hannun, "Sequence Modeling with
CTC", Distill 2017 (the beam over prefixes); Graves and Jaitly, ICML 2014 (a lexicon and a language model).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

BLANK = 0
NEVER = -math.inf
FAINT = 10.0  # letters so many nats below a place's likeliest are left out
PAIRS = 0.7  # share of the probability of a word that the word before it decides


def greedy(logs_LC: NDArray[np.float32], letters: Sequence[str]) -> str:
    """The likeliest letter of each place, repeats and blanks left out."""
    best = logs_LC.argmax(1)
    kept = (best != BLANK) & np.concatenate([[True], best[1:] != best[:-1]])
    return " ".join("".join(letters[code - 1] for code in best[kept]).split())


@dataclass
class Node:
    """A beginning of words of a lexicon."""

    is_word: bool = False
    next: dict[str, "Node"] = field(default_factory=dict)


@dataclass(frozen=True)
class Language:
    """Which words there are, and which follow which.

    Args:
        counts: Of the words in training transcripts.
        pairs: Of each word those that follow, with how often; "" is the beginning.
    """

    counts: Mapping[str, int]
    pairs: Mapping[str, Mapping[str, int]]

    def log(self, word: str, before: str) -> float:
        """Log-probability of a word after another; each word counts once more than it was seen."""
        alone = (self.counts.get(word, 0) + 1) / (sum(self.counts.values()) + len(self.counts) + 1)
        after = self.pairs.get(before)
        if not after:
            return math.log(alone)
        return math.log(PAIRS * after.get(word, 0) / sum(after.values()) + (1 - PAIRS) * alone)

    def tree(self) -> Node:
        """The words as a tree of their letters."""
        root = Node()
        for word in self.counts:
            node = root
            for letter in word:
                node = node.next.setdefault(letter, Node())
            node.is_word = True
        return root


@dataclass(frozen=True)
class Beam:
    """A search over texts.

    Args:
        letters: Of the codes from 1 on.
        width: Texts that are kept at each place.
        language: Its words alone are found; any letters if left out.
        weight: How much the language counts beside the sound.
        bonus: Added for each word, or a language would have few.
    """

    letters: Sequence[str]
    width: int
    language: Language | None = None
    weight: float = 0.5
    bonus: float = 0.0

    def __call__(self, logs_LC: NDArray[np.float32]) -> str:
        """The text of the highest score; of no text that the lexicon allows, an empty one."""
        root = Node() if self.language is None else self.language.tree()
        # Of each text: log-probability that it ends in a blank, and that it ends in its last letter.
        beam: dict[str, tuple[float, float]] = {"": (0.0, NEVER)}
        known: dict[str, _Place] = {"": _Place(root, 0.0)}
        for logs_C in logs_LC.astype(np.float64):
            beam = self._step(beam, known, logs_C, root)
        ended = {text: _sum(*ends) + self._ending(text, known[text]) for text, ends in beam.items()}
        best = max(ended, key=lambda text: ended[text])
        return " ".join(best.split()) if ended[best] > NEVER else ""

    def _step(
        self,
        beam: Mapping[str, tuple[float, float]],
        known: "dict[str, _Place]",
        logs_C: NDArray[np.float64],
        root: Node,
    ) -> dict[str, tuple[float, float]]:
        blank = float(logs_C[BLANK])
        codes = [int(code) for code in np.flatnonzero(logs_C > logs_C.max() - FAINT) if code != BLANK]
        likely = [(self.letters[code - 1], float(logs_C[code])) for code in codes]
        found: dict[str, tuple[float, float]] = {}
        for text, (silent, spoken) in beam.items():
            whole = _sum(silent, spoken)
            _add(found, text, whole + blank, NEVER)
            for letter, log in likely:
                if text and text[-1] == letter:
                    _add(found, text, NEVER, spoken + log)
                    gain = silent + log
                else:
                    gain = whole + log
                longer = text + letter
                if longer not in known and not self._reaches(longer, text, known, root):
                    continue
                _add(found, longer, NEVER, gain)
        best = sorted(found, key=lambda text: _sum(*found[text]) + known[text].score, reverse=True)
        return {text: found[text] for text in best[: self.width]}

    def _reaches(self, longer: str, text: str, known: "dict[str, _Place]", root: Node) -> bool:
        """Whether a text may go on by a letter; notes where that leads."""
        place, letter = known[text], longer[-1]
        if self.language is None:
            known[longer] = place
            return True
        if letter == " ":
            if not place.node.is_word:
                return False
            known[longer] = _Place(root, place.score + self._word(text))
            return True
        node = place.node.next.get(letter)
        if node is None:
            return False
        known[longer] = _Place(node, place.score)
        return True

    def _word(self, text: str) -> float:
        """What the last word of a text adds."""
        assert self.language is not None
        before, _, word = text.rpartition(" ")
        return self.weight * self.language.log(word, before.rpartition(" ")[2]) + self.bonus

    def _ending(self, text: str, place: "_Place") -> float:
        if self.language is None or not text or text.endswith(" "):
            return place.score
        return place.score + self._word(text) if place.node.is_word else NEVER


@dataclass(frozen=True)
class _Place:
    """Where a text stands in the lexicon, and what its language adds so far."""

    node: Node
    score: float


def _add(found: dict[str, tuple[float, float]], text: str, silent: float, spoken: float) -> None:
    own = found.get(text, (NEVER, NEVER))
    found[text] = (_sum(own[0], silent), _sum(own[1], spoken))


def _sum(one: float, other: float) -> float:
    """Log of the sum of two numbers that are told as logs."""
    high, low = (one, other) if one > other else (other, one)
    return high if low == NEVER else high + math.log1p(math.exp(low - high))

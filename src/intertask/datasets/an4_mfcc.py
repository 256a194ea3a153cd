"""AN4, the census database of Carnegie Mellon University: people spell names and numbers, as features.

From INTERTASK_DATA. Terms: free for any use, with its notice. Source: Acero, "Acoustical and Environmental
Robustness in Automatic Speech Recognition", Kluwer, 1993; http://www.speech.cs.cmu.edu/databases/an4.
"""

import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import polars as pl

from intertask.data import fetch
from intertask.data.rows import Rows
from intertask.datasets import RowsDatasetConfig

_FILES = ("an4_mfcc13.npz", "an4_train.transcription", "an4_test.transcription")
_ORIGIN = "http://www.speech.cs.cmu.edu/databases/an4, as 13 mel cepstra of 100 frames a second"
_LINE = re.compile(r"^(?:<s> )?(?P<text>.*?)(?: </s>)? \((?P<name>[^)]+)\)$")
VALIDATES = 9  # every so many speakers of the training part


class Config(RowsDatasetConfig):
    """1,078 utterances of 84 people; label: `text`; the group is the speaker.

    The official parts, of which every ninth of the 74 speakers of the training part validates, so that the
    voices that choose are as new as those of the test.
    """

    usual: ClassVar[Mapping[str, str]] = {"text": "transcription"}
    kind: Literal["an4_mfcc"] = "an4_mfcc"

    def load(self, folder: Path) -> Rows:
        """The utterances.

        Raises:
            DataError: The files are not below INTERTASK_DATA.
        """
        place = fetch.require_local("an4-mfcc", _FILES, _ORIGIN)
        texts = {part: _texts(place / f"an4_{part}.transcription") for part in ("train", "test")}
        with np.load(place / _FILES[0], allow_pickle=False) as held:
            ids, ends = [str(own) for own in held["ids"]], np.cumsum(held["lengths"])
            pieces = np.split(held["feats"], ends[:-1])
        speakers = [own.split("/")[-2] for own in ids]
        names = [own.split("/")[-1] for own in ids]
        training = sorted({who for who, name in zip(speakers, names, strict=True) if name in texts["train"]})
        chosen = set(training[VALIDATES - 1 :: VALIDATES])
        part = [
            "test" if name in texts["test"] else "validation" if who in chosen else "train"
            for who, name in zip(speakers, names, strict=True)
        ]
        both = texts["train"] | texts["test"]
        frame = pl.DataFrame(
            {
                "sound": pl.Series([_file(own) for own in pieces], dtype=pl.Binary),
                "text": [both[name] for name in names],
                "speaker": speakers,
                "part": part,
            }
        )
        return Rows.read(
            frame, files=["sound"], labels=["text"], group="speaker", part="part", name=self.kind
        )


def _texts(file: Path) -> dict[str, str]:
    found = (_LINE.match(line.strip()) for line in file.read_text(encoding="ascii").splitlines())
    return {own["name"]: own["text"].strip() for own in found if own is not None}


def _file(frames: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> bytes:
    held = io.BytesIO()
    np.save(held, np.ascontiguousarray(frames, np.float32), allow_pickle=False)
    return held.getvalue()

"""Free Spoken Digit Dataset: six people say the ten digits fifty times each, 8,000 samples a second.

From INTERTASK_DATA. Terms: CC BY-SA 4.0. Source: Jackson et al.,
https://github.com/Jakobovski/free-spoken-digit-dataset, whose takes 0 to 4 are the official test part.
"""

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field

from intertask.data import fetch
from intertask.data.rows import Rows
from intertask.datasets import RowsDatasetConfig
from intertask.errors import RecipeError
from intertask.options.seeds import generator

_FILE = "recordings-flac.zip"
_ORIGIN = "https://github.com/Jakobovski/free-spoken-digit-dataset, its recordings as FLAC in one zip"
_NAME = re.compile(r"(?P<digit>\d)_(?P<speaker>\w+)_(?P<take>\d+)\.flac$")
RATE, PAUSE = 8_000, 0.1  # samples a second, seconds between two digits
Clip = tuple[int, str, int, NDArray[np.float32]]


class Config(RowsDatasetConfig):
    """Strings of digits that one person says, joined from single ones; the group of a row is the speaker.

    Label: `digits`, as "7 1 3": its word error rate is the rate of wrong digits. Each clip is in one string
    of its part: takes 0 to 4 test, 5 to 9 validate, others train.

    Args:
        shortest: Digits of a string at least.
        longest: Digits of a string at most; 1 leaves the clips as they are.
        passes: How often each clip that trains is in a string, each time with others.
        seed: Seed of the draw.
    """

    usual: ClassVar[Mapping[str, str]] = {"digits": "transcription"}
    kind: Literal["fsdd"] = "fsdd"
    shortest: int = Field(default=3, ge=1, le=20)
    longest: int = Field(default=6, ge=1, le=20)
    passes: int = Field(default=1, ge=1, le=100)
    seed: int = Field(default=0, ge=0, lt=2**63)

    def load(self, folder: Path) -> Rows:
        """The strings.

        Raises:
            DataError: The file is not below INTERTASK_DATA.
            RecipeError: soundfile is not installed, or the lengths are none.
        """
        if self.shortest > self.longest:
            raise RecipeError(
                "[data.dataset] shortest", f"at most longest = {self.longest}", f"{self.shortest}"
            )
        place = fetch.require_local("fsdd", (_FILE,), _ORIGIN)
        rows = [row for own in self._groups(_clips(place / _FILE)).items() for row in self._strings(*own)]
        frame = pl.DataFrame(
            rows,
            schema={"sound": pl.Binary, "digits": pl.String, "speaker": pl.String, "part": pl.String},
            orient="row",
        )
        return Rows.read(
            frame, files=["sound"], labels=["digits"], group="speaker", part="part", name=self.kind
        )

    def _groups(self, clips: Iterator[Clip]) -> dict[tuple[str, str], list[Clip]]:
        found: dict[tuple[str, str], list[Clip]] = {}
        for clip in clips:
            part = "test" if clip[2] < 5 else "validation" if clip[2] < 10 else "train"
            found.setdefault((clip[1], part), []).append(clip)
        return dict(sorted(found.items()))

    def _strings(self, who: tuple[str, str], clips: list[Clip]) -> Iterator[tuple[bytes, str, str, str]]:
        import soundfile

        speaker, part = who
        random = generator(self.seed, "fsdd", speaker, part)
        pause = np.zeros(round(RATE * PAUSE), np.float32)
        for _ in range(self.passes if part == "train" else 1):
            left = [clips[place] for place in random.permutation(len(clips))]
            while left:
                count = int(random.integers(self.shortest, self.longest + 1))
                own, left = left[:count], left[count:]
                wave = np.concatenate([piece for clip in own for piece in (clip[3], pause)][:-1])
                held = io.BytesIO()
                soundfile.write(held, wave, RATE, format="FLAC", subtype="PCM_16")
                yield held.getvalue(), " ".join(str(clip[0]) for clip in own), speaker, part


def _clips(file: Path) -> Iterator[Clip]:
    try:
        import soundfile
    except (ImportError, OSError) as error:
        raise RecipeError(
            "data set fsdd", "the package soundfile", str(error), "pip install 'intertask[audio]'"
        ) from None
    with zipfile.ZipFile(file) as held:
        for name in sorted(held.namelist()):
            if (found := _NAME.search(name)) is not None:
                wave, _ = soundfile.read(io.BytesIO(held.read(name)), dtype="float32")
                yield int(found["digit"]), found["speaker"], int(found["take"]), wave

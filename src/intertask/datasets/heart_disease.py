"""Heart disease (UCI): patients of four hospitals who were sent to have their coronary arteries looked at.

From INTERTASK_DATA. Terms: CC BY 4.0 (UCI). Source: Detrano et al., "International application of a new
probability algorithm for the diagnosis of coronary artery disease", American Journal of Cardiology 64, 1989;
https://doi.org/10.24432/C52P4X.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

import polars as pl

from intertask.data import fetch
from intertask.data.rows import Rows
from intertask.datasets import RowsDatasetConfig

HOSPITALS = ("cleveland", "hungarian", "switzerland", "va")
NUMBERS = ("age", "trestbps", "chol", "thalach", "oldpeak", "ca")
CATEGORIES = ("sex", "cp", "fbs", "restecg", "exang", "slope", "thal")
_COLUMNS = (
    *("age", "sex", "cp", "trestbps", "chol", "fbs", "restecg", "thalach", "exang", "oldpeak", "slope"),
    *("ca", "thal", "num"),
)
_ORIGIN = "https://archive.ics.uci.edu/dataset/45/heart+disease, as processed.HOSPITAL.data"


class Config(RowsDatasetConfig):
    """920 patients, of whom 509 are ill; the group of a row is its hospital.

    Labels: `disease` (yes: a vessel is narrowed by half or more) and `vessels` (0 to 4, the original label).
    A cholesterol or a pressure of zero is a missing one: in Switzerland it was measured of nobody. Whether a
    value is missing tells the hospitals apart, and Switzerland has 8 healthy patients of 123.
    """

    usual: ClassVar[Mapping[str, str]] = {"disease": "category"}
    kind: Literal["heart_disease"] = "heart_disease"
    medical: ClassVar[bool] = True

    def load(self, folder: Path) -> Rows:
        """The patients, hospital by hospital.

        Raises:
            DataError: The files are not below INTERTASK_DATA.
        """
        files = [f"processed.{name}.data" for name in HOSPITALS]
        place = fetch.require_local("heart-disease-uci", files, _ORIGIN)
        patients = pl.concat(
            _patients(place / file).with_columns(hospital=pl.lit(name))
            for name, file in zip(HOSPITALS, files, strict=True)
        )
        ill = pl.col("num").cast(pl.Int64) > 0
        return Rows.read(
            patients.with_columns(
                *(pl.when(pl.col(name) != 0).then(pl.col(name)).alias(name) for name in ("chol", "trestbps")),
                disease=pl.when(ill).then(pl.lit("yes")).otherwise(pl.lit("no")),
                vessels=pl.col("num").cast(pl.Int64),
            ),
            labels=["disease", "vessels"],
            numbers=NUMBERS,
            categories=CATEGORIES,
            group="hospital",
            name=self.kind,
        )


def _patients(file: Path) -> pl.DataFrame:
    """The numbers of a hospital, which writes 1 or 1.0, and a question mark where it has none."""
    return pl.read_csv(
        file, has_header=False, new_columns=_COLUMNS, null_values="?", schema_overrides=[pl.Float64] * 14
    )

"""Amazon 2014 reviews as S3-Rec prepared them: item sequences in order of time, and attribute ids.

From INTERTASK_DATA only; no terms are stated, so for local use. Source: Zhou et al., "S3-Rec:
Self-Supervised Learning for Sequential Recommendation with Mutual Information Maximization", CIKM 2020.
"""

import polars as pl

from intertask.data import fetch
from intertask.data.catalogue import Catalogue
from intertask.data.event_log import EventLog
from intertask.datasets import Loaded


def load(name: str) -> Loaded:
    """Reviews in order, all of the behaviour "review"; items with attribute ids as tags, without text.

    Raises:
        DataError: The files are not below INTERTASK_DATA.
    """
    files = (f"{name}.parquet", f"{name}_attributes.parquet")
    place = fetch.require_local("s3rec-sequences", files, "the repository CIKM2020-S3Rec (data)")
    sequences = pl.read_parquet(place / files[0])
    reviews = sequences.explode("item_ids").with_columns(pl.lit("review").alias("behaviour"))
    reviews = reviews.with_columns(pl.int_range(pl.len()).over("user_id").alias("order"))
    events = EventLog.read(
        reviews, user="user_id", item="item_ids", order="order", behaviour="behaviour", name=name
    )
    return Loaded(events, Catalogue.read(place / files[1], item="item_id", tags=["attribute_ids"]))

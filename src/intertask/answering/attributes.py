"""What a request says of its people, in place of what is kept of them."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from intertask.answering.answerer import Answerer
from intertask.data.people import nobody
from intertask.data.rows import Rows
from intertask.data.windows import Windows, cut_out
from intertask.errors import RequestError
from intertask.events import beside
from intertask.events.requests import Asked
from intertask.inputs import Kind
from intertask.options import arguments
from intertask.samples import requests

EXPECTED = "for each person a dict of attributes: attributes=[{...}, ...]"


def told(answerer: Answerer, asked: Asked, attributes: object) -> Asked:
    """The same people with what a request says of them; what it does not say is as it is kept, or missing.

    Args:
        answerer: Who is asked.
        asked: Whose histories.
        attributes: One dict of attributes for each of them; None changes nothing.

    Raises:
        RequestError: The model reads no attributes, or not these; there are more or fewer dicts than people.
    """
    if attributes is None:
        return asked
    readers = beside.readers_of(answerer.model)
    if not readers:
        hint = 'train a recipe with [data.people] and [inputs.person] kind = "table"'
        raise RequestError("attributes", "a model that reads what is known of users", "another one", hint)
    given = (
        [attributes]
        if isinstance(attributes, Mapping)
        else arguments.elements(attributes, "attributes", EXPECTED)
    )
    if len(given) != len(asked):
        raise RequestError("attributes", f"{len(asked)}, one for each person", f"{len(given)}", EXPECTED)
    columns = beside.columns(readers)
    kept = _kept(answerer, asked, columns).inputs.select(list(columns)).to_dicts()
    whole = []
    for place, (old, new) in enumerate(zip(kept, given, strict=True)):
        if not isinstance(new, Mapping):
            raise RequestError(f"attributes[{place}]", EXPECTED, arguments.shown(new))
        whole.append({**old, **new})
    if not whole:
        return asked
    try:
        rows = requests.read(whole, columns)
    except RequestError as error:
        where = error.where.replace("rows row", "attributes of person").replace("rows", "attributes", 1)
        raise RequestError(where, error.expected, error.found, error.hint) from None
    histories = cut_out(asked.sequences, asked.windows)
    sequences = replace(histories, beside=beside.read(readers, rows))
    windows = Windows(np.asarray(sequences.offsets[:-1]), np.asarray(sequences.offsets[1:]))
    return replace(asked, sequences=sequences, windows=windows)


def _kept(answerer: Answerer, asked: Asked, columns: Mapping[str, Kind]) -> Rows:
    """What is kept of users; of histories nobody knows whose they are."""
    if asked.column != "user" or answerer.people is None:
        return nobody(columns, len(asked))
    return answerer.people.of(asked.names)

"""What `service.toml` says, and what the command line changes of it."""

import os
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictInt, StrictStr, field_validator

from intertask.errors import IntertaskError, RequestError
from intertask.options.config import Config, parse, read_toml

ADDRESS = "INTERTASK_DATABASE"
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?")
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Settings(Config):
    """The settings of a service.

    Args:
        database: `sqlite`, or the address of a PostgreSQL: `postgresql://user:password@host/database`.
        host: Where it listens; this machine alone if left out.
        port: There; 0 takes one that is free.
        workers: Processes that answer.
        log: "problems" writes a line for each request that fails or is slow, "requests" for every one.
        retrain_days: Days after which a tenant's model is trained anew; never if left out.
        private_webhooks: Whether webhooks may reach machines of private networks.
        answers_days: For how many days the lists that were given are kept; 0 keeps none.
        exports_days: For how many days the files of exports and reports of tunings are kept; 0 deletes none.
        origins: Web pages of other addresses that may ask from a browser, as `https://shop.example`, or `*`.
        behaviours: Names of events that are stored though no model was trained on them yet.
    """

    database: StrictStr = "sqlite"
    host: StrictStr = Field(default="127.0.0.1", min_length=1, max_length=255)
    port: Annotated[StrictInt, Field(ge=0, le=65_535)] = 8080
    workers: Annotated[StrictInt, Field(ge=1, le=64)] = 2
    log: Literal["problems", "requests"] = "problems"
    retrain_days: Annotated[StrictInt, Field(ge=1, le=3_650)] | None = None
    private_webhooks: StrictBool = False
    answers_days: Annotated[StrictInt, Field(ge=0, le=3_650)] = 90
    exports_days: Annotated[StrictInt, Field(ge=0, le=3_650)] = 30
    origins: tuple[StrictStr, ...] = ()
    behaviours: tuple[StrictStr, ...] = ()

    @field_validator("database")
    @classmethod
    def _known(cls, address: str) -> str:
        if address != "sqlite" and not address.startswith(("postgresql://", "postgres://")):
            raise ValueError("'sqlite' or postgresql://..., not another one")  # it may hold a password
        return address

    @field_validator("behaviours")
    @classmethod
    def _each_once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if any(not name.strip() for name in names) or len(set(names)) < len(names):
            raise ValueError(f"names of behaviours, each once, not {list(names)!r}")
        return names

    @field_validator("origins")
    @classmethod
    def _addresses(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for one in origins:
            if one != "*" and not _ORIGIN.fullmatch(one):
                raise ValueError(f"addresses such as https://shop.example, or *, not {one[:100]!r}")
        return origins

    @property
    def embedded(self) -> bool:
        """Whether the database is a file of this service."""
        return self.database == "sqlite"


class Place(Config):
    """A service in its folder: what its processes are told.

    Args:
        folder: Where it keeps everything.
        settings: Its settings.
        socket: Of the process that writes.
    """

    folder: Path
    settings: Settings
    socket: Path

    @property
    def models(self) -> Path:
        """The folder of its models."""
        return self.folder / "models"

    @property
    def uploads(self) -> Path:
        """The folder of files that were sent and wait for their job."""
        return self.folder / "uploads"

    @property
    def exports(self) -> Path:
        """The folder of files that jobs have written."""
        return self.folder / "exports"

    @property
    def line(self) -> Path | None:
        """Where changes are sent; None where each process writes itself."""
        return self.socket if self.settings.embedded else None


def read(file: Path | None, changes: dict[str, object]) -> Settings:
    """The settings of a file, or those that stand without one, with some of them changed.

    Raises:
        RequestError: Names the first line that is wrong.
    """
    try:
        table = {} if file is None else read_toml(file)
        if (address := os.environ.get(ADDRESS)) and "database" not in table:  # a password in no file
            table = table | {"database": address}
        where = "service" if file is None else str(file)
        return parse(Settings, table | changes, where)
    except IntertaskError as error:
        expected = "a file of settings" if error.expected == "a recipe file" else error.expected
        raise RequestError(error.where, expected, error.found, error.hint) from None

"""Which database an address names."""

from pathlib import Path

from intertask.service.database import Database


def opened(address: str, folder: Path) -> Database:
    """The database of a service: `postgresql://...`, or `sqlite`, in the service's folder."""
    if address.startswith(("postgresql://", "postgres://")):
        from intertask.service.postgresql import PostgreSQL

        return PostgreSQL(address)
    from intertask.service.sqlite import SQLite

    return SQLite(folder / "store.sqlite")

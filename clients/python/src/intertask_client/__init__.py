"""Asks a service of intertask: `Client(url, key).recommend(user="u1", k=10)`."""

from intertask_client.client import Client, Refused, Unreachable

__all__ = ["Client", "Refused", "Unreachable"]

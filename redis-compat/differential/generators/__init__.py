"""One file a family of commands; importing them fills the registry."""

from generators import (  # noqa: F401
    bits, connection, geo, hashes, keys, lists, pubsub, server, sets, sorted_sets, streams,
    strings, transactions)

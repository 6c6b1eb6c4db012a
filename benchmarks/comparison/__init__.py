"""Larder beside its peers: what `make bench` measures, and how it reports it."""

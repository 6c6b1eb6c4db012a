"""Larder beside its peers: the scenarios behind `make bench`, and what measures and reports them."""

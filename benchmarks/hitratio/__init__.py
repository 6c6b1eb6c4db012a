"""How many requests of real traces each server can answer: what `make bench-hitratio` measures."""

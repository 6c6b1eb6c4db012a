"""Who protects an origin from its readers: what `make bench-stampede` measures."""

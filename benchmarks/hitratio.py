#!/usr/bin/python3
"""How well each server chooses what to keep: real traces replayed against real servers.

Larder, redis-server and memcached get the same memory and the same requests. Prints tables and, for
a full run, writes them with charts to benchmarks/results. `make bench-hitratio` builds what is
needed and runs this; benchmarks/README.md tells how it measures and which traces it wants.
"""

import sys

from hitratio import command_line

if __name__ == "__main__":
    sys.exit(command_line.main(sys.argv[1:]))

#!/usr/bin/python3
"""Who protects the origin behind a cache when values expire, and what readers pay for it.

Two hundred readers share a slow origin through Larder, redis-server and memcached, with what their
users do against stampedes. Prints tables and says whether Larder keeps what is asked of it.
`make bench-stampede` builds what is needed and runs this; benchmarks/README.md tells how it
measures.
"""

import sys

from stampede import command_line

if __name__ == "__main__":
    sys.exit(command_line.main(sys.argv[1:]))

"""What the benchmarks have in common as programs."""

import signal
import sys


def run(name, main, arguments):
    """The exit code of main(arguments), which fails in one line for what is the user's to mend."""
    # Ends like an interrupt: through all `with` blocks, which end the servers.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        return main(arguments)
    except KeyboardInterrupt:
        return 130
    except (RuntimeError, FileNotFoundError, ValueError, ConnectionError) as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 1

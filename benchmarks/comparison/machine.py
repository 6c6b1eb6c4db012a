"""What the figures depend on: processor, kernel, cores. No names, no paths: it is published."""

import datetime
import os
import platform
import re


# Ours before this process keeps to those of the load.
ALL_CORES = sorted(os.sched_getaffinity(0))


def cores():
    """(cores for the server, cores for the load). Both the same where there is but one."""
    return ALL_CORES[:1], ALL_CORES[1:2] or ALL_CORES[:1]


def _first(path, pattern):
    try:
        with open(path, encoding="utf-8") as file:
            match = re.search(pattern, file.read(), re.MULTILINE)
            return match.group(1).strip() if match else "unknown"
    except OSError:
        return "unknown"


def facts():
    """Lines for the head of a report."""
    processor = _first("/proc/cpuinfo", r"^model name\s*:(.*)$")
    memory_kib = _first("/proc/meminfo", r"^MemTotal:\s+(\d+)")
    memory = f"{int(memory_kib) / 2**20:.0f} GiB" if memory_kib.isdigit() else "unknown"
    return {
        "Processor": f"{processor}, {len(os.sched_getaffinity(0))} cores",
        "Memory": memory,
        "Kernel": f"{platform.system()} {platform.release()}",
        "Load when it began": f"{os.getloadavg()[0]:.1f}",
        "Date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
    }

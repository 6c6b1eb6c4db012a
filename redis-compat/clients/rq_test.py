#!/usr/bin/python3
"""Lets rq's own worker do jobs. See README.md for the environment."""

import os
import subprocess
import sys
import tempfile

import rq
import rq.job
import rq.registry

import harness
from harness import HOST, PORT, eq, test, until

URL = f"redis://{HOST}:{PORT}"
JOBS = """
import time

def add(a, b):
    return a + b

def fail():
    raise ValueError("on purpose")

def sleep(seconds):
    time.sleep(seconds)
"""

folder = tempfile.mkdtemp()
with open(os.path.join(folder, "rq_jobs.py"), "w", encoding="utf-8") as file:
    file.write(JOBS)


def work(*options):
    """A worker that ends when there is nothing left to do, as `rq worker --burst` does."""
    result = subprocess.run(
        ["/usr/bin/rq", "worker", "--burst", "--quiet", "--url", URL, "--path", folder, *options],
        capture_output=True, text=True, timeout=25, check=False)
    if result.returncode != 0:
        raise AssertionError(result.stdout + result.stderr)


@test
def jobs_are_done(r):
    queue = rq.Queue(connection=r)
    jobs = [queue.enqueue("rq_jobs.add", i, i) for i in range(20)]
    eq(len(queue), 20)
    work("default")
    eq([job.result for job in jobs], [2 * i for i in range(20)])
    eq(len(queue), 0)
    eq(rq.registry.FinishedJobRegistry(queue=queue).count, 20)


@test
def queues_have_an_order(r):
    low, high = rq.Queue("low", connection=r), rq.Queue("high", connection=r)
    jobs = [low.enqueue("rq_jobs.add", 1, 1), high.enqueue("rq_jobs.add", 2, 2)]
    work("high", "low")
    eq([job.get_status() for job in jobs], [rq.job.JobStatus.FINISHED] * 2)
    for job in jobs:
        job.refresh()
    if jobs[1].ended_at > jobs[0].started_at:
        raise AssertionError("the low queue came first")


@test
def failures_are_kept_and_tried_again(r):
    queue = rq.Queue(connection=r)
    job = queue.enqueue("rq_jobs.fail")
    work("default")
    failed = rq.registry.FailedJobRegistry(queue=queue)
    eq(failed.get_job_ids(), [job.id])
    eq("on purpose" in job.exc_info, True)
    failed.requeue(job.id)
    eq((failed.count, queue.get_job_ids()), (0, [job.id]))


@test
def jobs_depend_on_jobs(r):
    queue = rq.Queue(connection=r)
    first = queue.enqueue("rq_jobs.add", 1, 2)
    second = queue.enqueue("rq_jobs.add", 3, 4, depends_on=first)
    eq(second.get_status(), rq.job.JobStatus.DEFERRED)
    work("default")
    eq((first.result, second.result), (3, 7))


@test
def a_waiting_worker_is_seen_and_stopped(r):
    command = ["/usr/bin/rq", "worker", "--quiet", "--url", URL, "--path", folder]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            until(lambda: r.info("clients")["blocked_clients"] == 1)
            eq(len(rq.Worker.all(connection=r)), 1)
            job = rq.Queue(connection=r).enqueue("rq_jobs.add", 5, 6)
            until(lambda: job.get_status() == rq.job.JobStatus.FINISHED)
        finally:
            process.terminate()
    eq(rq.Worker.all(connection=r), [])


if __name__ == "__main__":
    sys.exit(harness.main())

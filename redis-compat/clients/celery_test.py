#!/usr/bin/python3
"""Lets celery's own workers do tasks, with the server as broker and as store of results. See README.md
for the environment."""

import contextlib
import os
import subprocess
import sys
import tempfile

import harness
from harness import HOST, PORT, connect, eq, test, until

TASKS = f"""
import celery

app = celery.Celery("tasks", broker="redis://{HOST}:{PORT}/1", backend="redis://{HOST}:{PORT}/2")

@app.task
def add(a, b):
    return a + b

@app.task
def total(values):
    return sum(values)

@app.task
def fail():
    raise ValueError("on purpose")

@app.task(bind=True, max_retries=3)
def third_time(self):
    if self.request.retries < 2:
        raise self.retry(countdown=0)
    return self.request.retries
"""

folder = tempfile.mkdtemp()
with open(os.path.join(folder, "compat_tasks.py"), "w", encoding="utf-8") as file:
    file.write(TASKS)
sys.path.insert(0, folder)

import celery  # noqa: E402

import compat_tasks as tasks  # noqa: E402


@contextlib.contextmanager
def worker():
    log = os.path.join(folder, "log")
    with open(log, "wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "compat_tasks", "worker", "--concurrency", "2", "--loglevel", "INFO"],
            cwd=folder, stdout=output, stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": folder, "C_FORCE_ROOT": "1"})
    try:
        yield process
    except Exception:
        with open(log, encoding="utf-8") as output:
            print(output.read()[-3000:])
        raise
    finally:
        process.terminate()
        process.wait(15)


@test
def tasks_are_done(_):
    with worker():
        results = [tasks.add.delay(i, i) for i in range(50)]
        eq([result.get(timeout=15) for result in results], [2 * i for i in range(50)])


@test
def tasks_form_groups_chains_and_chords(_):
    with worker():
        group = celery.group(tasks.add.s(i, 1) for i in range(10))
        eq(group().get(timeout=15), list(range(1, 11)))
        chain = celery.chain(tasks.add.s(1, 2), tasks.add.s(3), tasks.add.s(4))
        eq(chain().get(timeout=10), 10)
        chord = celery.chord([tasks.add.s(i, i) for i in range(10)])
        eq(chord(tasks.total.s()).get(timeout=10), 90)


@test
def failures_come_back_and_are_tried_again(_):
    with worker():
        result = tasks.fail.delay()
        try:
            result.get(timeout=15)
            raise AssertionError("no failure")
        except ValueError as error:
            eq(str(error), "on purpose")
        eq(result.state, "FAILURE")
        eq(tasks.third_time.delay().get(timeout=10), 2)


@test
def tasks_wait_for_a_worker(_):
    results = [tasks.add.delay(i, 1) for i in range(5)]
    later = tasks.add.apply_async((1, 2), countdown=0.5)
    eq(connect(db=1).llen("celery"), 6)
    with worker():
        eq([result.get(timeout=15) for result in results], [1, 2, 3, 4, 5])
        eq(later.get(timeout=10), 3)


@test
def workers_answer_and_are_told(r):
    with worker():
        until(lambda: tasks.app.control.ping(timeout=0.5), 20)
        stats = tasks.app.control.inspect(timeout=1).stats()
        eq([entry["pool"]["max-concurrency"] for entry in stats.values()], [2])
    r.ping()


if __name__ == "__main__":
    sys.exit(harness.main())

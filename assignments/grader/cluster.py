"""Grade a class on a Dask cluster: a local one, or any whose scheduler can be reached.

The submissions travel with the work; results come back as what JSON can say. A worker needs
this folder on its PYTHONPATH, and bwrap.
"""

import contextlib
import functools
import logging
import os
import signal
from concurrent.futures import CancelledError

from distributed import Client, KilledWorker, LocalCluster, as_completed, get_worker

from grader import canary
from grader.batch import grade_one, version
from grader.question import Assignment
from grader.sandbox import Broken, available


def there(assignment, waiting, address="local", limits=None, jobs=None):
    """Grade on a cluster; yield pairs (work, result) as they come."""
    wanted = version(assignment.name)
    with connected(address, jobs) as client:
        futures = {
            client.submit(grade_there, assignment.name, wanted, work, limits, pure=False): work for work in waiting
        }
        try:
            for future in as_completed(futures):
                yield futures.pop(future), future.result()
        except ModuleNotFoundError as error:
            raise Broken(f"a worker has {error}; its PYTHONPATH must name the course's folder assignments") from None
        except KilledWorker:
            raise Broken("the cluster loses one worker after the other, perhaps for lack of memory") from None
        except CancelledError:
            raise Broken(f"the scheduler at {address} has gone") from None


@contextlib.contextmanager
def connected(address, jobs):
    """A client with at least one worker."""
    logging.disable()  # a lost worker is Dask's business: its work is given to another
    with contextlib.ExitStack() as opened:
        if address == "local":
            jobs = jobs or os.cpu_count()
            before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for this process, not for the workers
            cluster = LocalCluster(
                n_workers=jobs, threads_per_worker=1, dashboard_address=None, silence_logs=logging.CRITICAL
            )
            signal.signal(signal.SIGINT, before)
            address = opened.enter_context(cluster)
        try:
            client = opened.enter_context(Client(address, timeout=30))
            client.wait_for_workers(1, timeout=30)
        except (OSError, ValueError):
            raise Broken(f"no Dask scheduler with a worker answers at {address}") from None
        yield client


def grade_there(name, wanted, work, limits):
    return grade_one(ready(name, wanted), work, limits)


@functools.cache
def ready(name, wanted):
    """The assignment, once this worker has proved that it may grade it."""
    place = get_worker().address
    if version(name) != wanted:
        raise Broken(f"the worker {place} has another version of the grader or the tests; start it anew from this one")
    if reason := available():
        raise Broken(f"on the worker {place}, {reason}")
    try:
        canary.sing()
    except canary.Unsafe as error:
        raise Broken(f"the sandbox of the worker {place} is not safe: {error}") from None
    return Assignment(name)

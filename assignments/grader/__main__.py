"""Grade a folder of notebooks.

    python -m grader 01_introduction submissions/ results/

Results lie in results/: scores.csv, results.json with every test's outcome, feedback/ with a
page per student, manual/ with the answers that a human reads. Given again, the command goes
on where it was interrupted: only new or changed notebooks are graded.
"""

import argparse
import os
import sys
from functools import partial
from pathlib import Path

from grader import canary
from grader.batch import grade_folder, here
from grader.folder import submissions
from grader.question import Assignment, every_assignment
from grader.report import report
from grader.sandbox import Broken, available

KEPT = "What was graded is kept; the same command goes on from there."


def main():
    parser = argparse.ArgumentParser("grader", description=__doc__.partition("\n")[0])
    parser.add_argument("assignment", choices=every_assignment())
    parser.add_argument("folder", type=Path, help="the submissions, as Moodle, Canvas, git or you put them there")
    parser.add_argument("out", type=Path, help="where to write the results")
    parser.add_argument("--jobs", type=int, help="submissions at a time (default: one per core)")
    parser.add_argument("--seed", type=int, help="draw the same inputs as a run with the same seed")
    parser.add_argument(
        "--dask",
        nargs="?",
        const="local",
        metavar="ADDRESS",
        help="grade on a Dask cluster: the scheduler's address, or a cluster on this machine",
    )
    parser.add_argument(
        "--without-sandbox",
        action="store_true",
        help="DANGEROUS: run students' code as it is; only in a container that holds nothing else and has no network",
    )
    arguments = parser.parse_args()
    try:
        grade_class(arguments)
    except Broken as error:
        sys.exit(f"\nStopped: {error}. {KEPT}")
    except KeyboardInterrupt:
        print(f"\nStopped: interrupted. {KEPT}", file=sys.stderr, flush=True)
        os._exit(130)  # do not wait for what is being graded


def grade_class(arguments):
    if not arguments.folder.is_dir():
        sys.exit(f"There is no folder {arguments.folder}.")
    assignment = Assignment(arguments.assignment)
    found = list(submissions(arguments.folder.resolve(), assignment.name, arguments.out.resolve()))
    if not found:
        sys.exit(f"There is no notebook in {arguments.folder}.")
    grader = on_cluster(arguments) if arguments.dask else on_this_machine(arguments)
    results = grade_folder(assignment, found, arguments.out, grader, arguments.seed)
    report(assignment, results, arguments.out)
    lost = sum(bool(result["flags"]) for result in results)
    print(f"{len(results)} graded, {lost} with flags: {arguments.out / 'scores.csv'}")


def on_cluster(arguments):
    if arguments.without_sandbox:
        sys.exit("A cluster's workers always use the sandbox: leave out --without-sandbox.")
    try:
        from grader.cluster import there
    except ModuleNotFoundError as error:
        sys.exit(f"{error}. Dask is installed by: pip install distributed")
    return partial(there, address=arguments.dask, jobs=arguments.jobs)


def on_this_machine(arguments):
    plain = arguments.without_sandbox
    if plain:
        print("WARNING: no sandbox. Students' code can read and change all that this user can.", file=sys.stderr)
    elif reason := available():
        sys.exit(f"Nothing was graded: {reason}.")
    try:
        canary.sing(plain=plain)
    except canary.Unsafe as error:
        hint = " Close this folder and your home to other users: chmod 700." * plain
        sys.exit(f"Nothing was graded, for the sandbox is not safe: {error}.{hint}")
    return partial(here, plain=plain, jobs=arguments.jobs)


if __name__ == "__main__":
    main()

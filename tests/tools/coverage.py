#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Measures which lines of the decision code (tests/coverage.mk) the unit tests and the fuzzers' corpora
run: builds them with clang, ASan and UBSan in build/coverage, runs each once, and prints a table. Fails
if the total or a file is below its bound, if a test fails, or if the list is not what is tested."""

import argparse
import concurrent.futures
import glob
import json
import os
import shutil
import subprocess
import sys

import bulkhead

FOLDER = os.path.join(bulkhead.BUILD, "coverage")
PROFILES = os.path.join(FOLDER, "profiles")


def make(*args):
    # Not the job server of a make that this runs under: make would warn that it can't be reached.
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    command = ["make", "--no-print-directory", "-s", "SETUP=0", *args]
    return subprocess.run(
        command, cwd=bulkhead.ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True,
    )


def names(target):
    return make(target).stdout.split()


def check_list():
    """The list and what is compiled for tests must be the same."""
    listed, tested = set(names("decision-names")), set(names("tested-names"))
    for name in sorted(tested - listed):
        print(f"{name} is compiled for tests: add it to tests/coverage.mk")
    for name in sorted(listed - tested):
        print(f"{name} is in tests/coverage.mk, but no test compiles it")
    return listed == tested


def corpora(fuzzer):
    folders = [
        os.path.join(bulkhead.ROOT, "tests", "fuzz", f"{fuzzer}.seeds"),
        os.path.join(bulkhead.BUILD, "fuzz", f"corpus-{fuzzer}"),
    ]
    return [f for f in folders if os.path.isdir(f)]


def run(program):
    """Returns the program's output if it fails."""
    name = os.path.basename(program)
    env = dict(os.environ, LLVM_PROFILE_FILE=os.path.join(PROFILES, f"{name}.profraw"))
    command = [program]
    if os.path.basename(os.path.dirname(program)) == "fuzz":
        command += ["-runs=0", f"-artifact_prefix={FOLDER}/{name}-", *corpora(name)]
    done = subprocess.run(
        command, env=env, cwd=bulkhead.ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        errors="replace",
    )
    return None if done.returncode == 0 else f"{name}: status {done.returncode}\n{done.stdout}"


def tool(name):
    found = shutil.which(name)
    if found is None:
        sys.exit(f"coverage: {name} is not installed (package llvm)")
    return found


def summaries(programs):
    """Lines of each source: {path: (covered, all)}."""
    merged = os.path.join(FOLDER, "merged.profdata")
    raw = glob.glob(os.path.join(PROFILES, "*.profraw"))
    subprocess.run([tool("llvm-profdata"), "merge", "-sparse", "-o", merged, *raw], check=True)
    objects = [arg for p in programs[1:] for arg in ("-object", p)]
    exported = subprocess.run(
        [tool("llvm-cov"), "export", "-summary-only", f"-instr-profile={merged}", programs[0],
         *objects],
        check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )
    result = {}
    for file in json.loads(exported.stdout)["data"][0]["files"]:
        lines = file["summary"]["lines"]
        path = os.path.relpath(file["filename"], bulkhead.ROOT)
        result[path] = (lines["covered"], lines["count"])
    return result


def percent(covered, count):
    return 100.0 * covered / count if count else 100.0


def report(lines, minimum, file_minimum):
    good = True
    total = [0, 0]
    for name in names("decision-names"):
        # Tables alone have no line that runs.
        covered, count = lines.get(name, (0, 0))
        total[0] += covered
        total[1] += count
        low = percent(covered, count) < file_minimum
        good = good and not low
        print(f"{name:32} {covered:6} of {count:6} {percent(covered, count):6.1f} %"
              f"{'  too few' if low else ''}")
    print(f"{'decision code':32} {total[0]:6} of {total[1]:6} {percent(*total):6.1f} %")
    return good and total[1] > 0 and percent(*total) >= minimum


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--min", type=float, default=90, help="percent of all lines")
    parser.add_argument("--file-min", type=float, default=80, help="percent of a file's lines")
    args = parser.parse_args()

    good = check_list()
    build = make("COVERAGE=1", f"-j{os.cpu_count()}", "unit-build", "fuzz-build")
    if build.returncode != 0:
        print(build.stdout)
        return 1
    shutil.rmtree(PROFILES, ignore_errors=True)
    programs = [os.path.join(FOLDER, "unit", n) for n in names("unit-names")]
    programs += [os.path.join(FOLDER, "fuzz", n) for n in names("fuzz-names")]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for failure in pool.map(run, programs):
            if failure:
                print(failure)
                good = False
    good = report(summaries(programs), args.min, args.file_min) and good
    print("coverage: good" if good else "coverage: not good enough")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

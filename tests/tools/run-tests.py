#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the tests and sums them up: format check, unit tests, bulkhead-config, fuzzers, coverage, boot
tests. The last line is `N passed, N failed`; the exit status says whether any failed."""

import argparse
import concurrent.futures
import glob
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree

import bulkhead
import check_names

CLI = "test_config_tool.py"


class Sum:
    def __init__(self, passed=0, failed=0):
        self.passed, self.failed, self.skipped = passed, failed, 0

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def __str__(self):
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


def run(command, **more):
    return subprocess.run(
        command, cwd=bulkhead.ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        errors="replace", **more,
    )


def make(*args):
    # Quick: what is built already is not built again.
    return run(["make", "--no-print-directory", "SETUP=0", f"-j{os.cpu_count()}", *args])


def skipped(result, what, missing):
    """Counts and names a check that a missing part makes impossible; whether it does."""
    if missing:
        print(f"skipped: {what}: {missing}")
        result.skipped += 1
    return bool(missing)


def built(result, args, what, show=False):
    """One check: that something builds. With `show` what it says is shown in any case."""
    done = make(*args)
    if done.returncode == 0:
        result.passed += 1
        print(done.stdout if show else "", end="")
    else:
        result.failed += 1
        print(f"FAILED: {what}\n{done.stdout}")
    return done.returncode == 0


def test_sources(_):
    """The storeys, generated documents, names of tests, format, and that the other compiler builds
    everything without a warning."""
    result = Sum()
    built(result, ["layers"], "each folder uses only what stands before it (tests/tools/check-layers.py)")
    built(result, ["docs-check"], "the documents are what `make docs` writes")
    try:
        wrong = check_names.check()
    except bulkhead.Error as error:
        wrong = [f"can't be told: {error}"]
    result.add(Sum(1, 0) if not wrong else Sum(0, 1))
    print("".join(f"FAILED: test's name {line}\n" for line in wrong), end="")
    if not skipped(result, "the format check", bulkhead.missing("clang-format", "clang-format", "clang-format")):
        built(result, ["format-check"], "clang-format", show=True)
    if not skipped(result, "the hypervisor with clang", bulkhead.missing("clang", "clang", "clang")):
        # Objects in a folder of their own, so that this makes nothing old that the others use.
        args = ["CC=clang", "HVDIR=build/clang", "build/clang/bulkhead.elf"]
        built(result, args, "the hypervisor with clang")
    return result


def run_unit(program):
    """One unit test program: its cases, counted, and its output if any fails."""
    result = Sum()
    env = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP", UBSAN_OPTIONS="print_stacktrace=1")
    start = time.monotonic()
    try:
        done = run([program], env=env, timeout=900)
        out, status = done.stdout, done.returncode
    except subprocess.TimeoutExpired as late:
        out, status = (late.stdout or b"").decode(errors="replace"), "too slow"
    result.passed = len(re.findall(r"(?m)^ok ", out))
    result.failed = len(re.findall(r"(?m)^not ok ", out))
    # A crash, or a sanitizer's finding, or a program that tests nothing.
    if (status != 0 and result.failed == 0) or result.passed + result.failed == 0:
        result.failed += 1
    name = os.path.basename(program)
    print(f"  {name}: {result} ({time.monotonic() - start:.1f} s)")
    if result.failed:
        print(f"{out}\n{name}: status {status}")
    sys.stdout.flush()
    return result


def names(target):
    return run(["make", "-s", "--no-print-directory", "SETUP=0", target]).stdout.split()


def test_unit(_):
    result = Sum()
    building = make("-k", "unit-build")
    programs = [os.path.join(bulkhead.BUILD, "unit", name) for name in names("unit-names")]
    if building.returncode != 0:
        print(building.stdout)
        result.failed += 1
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for one in pool.map(run_unit, [p for p in programs if os.path.exists(p)]):
            result.add(one)
    return result


def run_pytest(label, args):
    result = Sum()
    report = os.path.join(bulkhead.BUILD, f"{label}-tests.xml")
    if os.path.exists(report):
        os.remove(report)
    command = [sys.executable, "-m", "pytest", "-q", "-r", "fEs", f"--junit-xml={report}", *args]
    status = subprocess.call(command, cwd=os.path.join(bulkhead.ROOT, "tests", "boot"))
    if not os.path.exists(report):
        print(f"pytest gave no report: status {status}")
        result.failed += 1
        return result
    for case in xml.etree.ElementTree.parse(report).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            result.failed += 1
        elif case.find("skipped") is not None:
            result.skipped += 1
        else:
            result.passed += 1
    if status != 0 and result.failed == 0:
        print(f"pytest ended with status {status}")
        result.failed += 1
    return result


def test_config(_):
    return run_pytest("config", [CLI])


# Less than with make fuzz: all tests together are to take less than 30 minutes.
FUZZ_SECONDS, FUZZ_SECONDS_LONG = "45", "600"
FUZZ_TAIL = 40  # lines of a failed fuzzer's output


def run_fuzzer(name, seconds_each):
    start = time.monotonic()
    done = make(f"run-{name}", f"FUZZ_SECONDS={seconds_each}")
    seconds = time.monotonic() - start
    runs = re.search(r"stat::number_of_executed_units: (\d+)", done.stdout)
    good = done.returncode == 0 and runs is not None and int(runs.group(1)) > 0
    print(f"  {name}: {'passed' if good else 'FAILED'}, "
          f"{runs.group(1) if runs else 'no'} inputs ({seconds:.0f} s)")
    if not good:
        print("\n".join(done.stdout.splitlines()[-FUZZ_TAIL:]))
    sys.stdout.flush()
    return good


def clang_missing():
    """Why fuzzers and coverage can't be had, or None."""
    return bulkhead.missing("clang", "clang or llvm", "clang", "llvm-profdata")


def test_fuzz(args):
    """Each fuzzer for FUZZ_SECONDS, which the environment may set, as many at a time as there are CPUs. A fuzzer that does not build
    has failed."""
    result = Sum()
    if skipped(result, "the fuzzers", clang_missing()):
        return result
    building = make("-k", "fuzz-build")
    if building.returncode != 0:
        print(building.stdout)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        each = os.environ.get("FUZZ_SECONDS", FUZZ_SECONDS_LONG if args.long else FUZZ_SECONDS)
        for good in pool.map(lambda name: run_fuzzer(name, each), names("fuzz-names")):
            result.passed += good
            result.failed += not good
    return result


def test_coverage(_):
    """One check. Its build is the one of the unit tests with clang."""
    result = Sum()
    if skipped(result, "the coverage", clang_missing()):
        return result
    done = make("coverage")
    print(done.stdout, end="")
    result.passed, result.failed = (1, 0) if done.returncode == 0 else (0, 1)
    return result


def test_boot(args):
    result = Sum()
    built(result, ["AUDIT_BREAK=1", "hypervisor"], "the hypervisor whose audit must fail")
    tests = sorted(glob.glob(os.path.join(bulkhead.ROOT, "tests", "boot", "test_*.py")))
    tests = [t for t in tests if not t.endswith(CLI)]
    more = ["-n", str(args.jobs)] if args.jobs > 1 else []
    if args.select:
        more += ["-k", args.select]
    if args.long:
        os.environ["BOOT_LONG"] = "only"
    result.add(run_pytest("boot", tests + more))
    return result


PARTS = {
    "sources": test_sources,
    "unit": test_unit,
    "config": test_config,
    "fuzz": test_fuzz,
    "coverage": test_coverage,
    "boot": test_boot,
}
LONG_PARTS = "fuzz", "boot"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=PARTS)
    parser.add_argument("--long", action="store_true", help="what takes too long for `make test`")
    parser.add_argument("--jobs", type=int, default=2, help="boot tests at a time")
    parser.add_argument("--select", help="boot tests by pytest's -k")
    args = parser.parse_args()
    sums = {}
    parts = LONG_PARTS if args.long else PARTS
    for name, part in PARTS.items():
        if name in parts and args.only in (None, name):
            print(f"== {name}")
            sys.stdout.flush()
            sums[name] = part(args)
    total = Sum()
    print("== summary")
    for name, result in sums.items():
        print(f"{name}: {result}")
        total.add(result)
    print(f"{total.passed} passed, {total.failed} failed")
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())

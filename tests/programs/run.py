#!/usr/bin/env python3
"""Holds our own programs of the shell (guests/programs, image "tools"), built for this machine with ASan and UBSan, against GNU's:

    run.py PROGRAM [-k TEXT] [-v]     PROGRAM is "tools" of guests/build.sh --native

The cases are those of tests/cases/bash/utilities.txt; both times the machine's bash runs them, once with our programs first in its
PATH. The same cases run through the whole box in tests/bash.
"""
import argparse
import concurrent.futures
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "bash"))
import run as bash  # noqa: E402


class Programs(bash.Program):
    """The machine's bash, which finds ours in the folder first."""

    def __init__(self, folder):
        super().__init__("/bin/bash")
        self.folder = folder

    def run(self, case, root):
        env = dict(bash.environment(root))
        env["PATH"] = self.folder + ":" + env["PATH"]
        done = subprocess.run([self.program, "-c", case.command], cwd=root, env=env, stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=bash.TIMEOUT_S)
        if b"Sanitizer" in done.stderr or b"runtime error" in done.stderr:
            raise AssertionError(done.stderr.decode(errors="replace")[:3000])
        return bash.Answer(done.stdout, done.stderr, done.returncode, root, bash.snapshot(root))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("-k", default="", help="only cases whose command holds this text")
    parser.add_argument("-v", action="store_true", help="name every case")
    options = parser.parse_args()
    program = os.path.abspath(options.program)
    names = subprocess.run([program, "tools"], capture_output=True, text=True, check=True).stdout.split()
    cases = [case for case in bash.read_cases(bash.CASES / "utilities.txt") if not case.differs and options.k in case.command]
    bad = 0
    with tempfile.TemporaryDirectory(prefix="bx-programs-") as folder:
        for name in names:
            os.symlink(program, os.path.join(folder, name))
        with concurrent.futures.ThreadPoolExecutor(max(2, os.cpu_count() or 2)) as pool:
            for case, wrong in zip(cases, pool.map(lambda case: bash.run_case(case, Programs(folder)), cases)):
                bad += bool(wrong)
                if wrong:
                    print(f"FAIL {case.name}", *wrong, sep="\n     ")
                elif options.v:
                    print(f"ok   {case.name}")
    print(f"{len(cases) - bad} passed, {bad} failed")
    sys.exit(1 if bad or not cases else 0)


main()

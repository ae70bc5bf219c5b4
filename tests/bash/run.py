#!/usr/bin/env python3
"""Holds the `bash` tool against the machine's real bash and GNU tools, case by case:

    run.py --boxagnts BINARY     the tool inside the binary, in the real box
    run.py --native BASH         the shell built by guests/build.sh --native, with the machine's own programs

A case is run by both in an empty folder with its files. The folder is where bash starts, and the root ("/") of the box; its path
is taken out of what bash prints. Standard output, exit status and the files afterwards must be equal. The box is that of a
server's: a few of them, each with a workspace whose root and scratch folder are emptied before a case.

tests/cases/bash/*.txt:

    %% shared PATH        a file that every later case of this txt has; its text follows, up to the next line with %%
    %% case NAME          a new case; these may follow:
    %% file PATH          a file (or, with a slash at the end, a folder) of this case; its text follows
    %% hex PATH           the same, the text being hexadecimal
    %% command            the command, of any number of lines
    %% stderr             the first line of standard error must be equal too, but for "line 3:"
    %% differs WHY        it is known to differ, and why; the run fails when it has become equal
    %% box WHY            it has no meaning for --native, and why
    % COMMAND             a case in one line; its name is the command

At least 95 % of all cases must be equal. Cases that differ without being listed fail the run.
"""
import argparse
import concurrent.futures
import json
import os
import queue
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
CASES = HERE.parent / "cases" / "bash"
TIMEOUT_S = 60
WANTED_EQUAL = 0.95


class Case:
    def __init__(self, name, shared):
        self.name, self.files, self.command = name, dict(shared), None
        self.differs = self.box_only = None
        self.stderr = False


def read_cases(path):
    shared, cases, block = {}, [], None

    def finish():
        if block is None:
            return
        kind, argument, lines = block
        text = "".join(lines)
        if kind == "command":
            cases[-1].command = text.rstrip("\n")
        else:
            data = bytes.fromhex(text) if kind == "hex" else text.encode()
            (shared if kind == "shared" else cases[-1].files)[argument] = data

    for number, line in enumerate(path.read_text().splitlines(keepends=True), 1):
        if line.startswith("% "):
            finish()
            block = None
            cases.append(Case(line[2:].strip(), shared))
            cases[-1].command = line[2:].rstrip("\n")
        elif line.startswith("%%"):
            finish()
            block = None
            word, _, argument = line[2:].strip().partition(" ")
            if word == "case":
                cases.append(Case(argument, shared))
            elif word in ("shared", "file", "hex", "command"):
                block = (word, argument, [])
            elif word == "stderr":
                cases[-1].stderr = True
            elif word == "differs" and argument:
                cases[-1].differs = argument
            elif word == "box" and argument:
                cases[-1].box_only = argument
            else:
                sys.exit(f"{path.name}:{number}: not understood: {line.strip()}")
        elif block:
            block[2].append(line)
        elif line.strip():
            sys.exit(f"{path.name}:{number}: belongs to no block: {line.strip()}")
    finish()
    for case in cases:
        if not case.command:
            sys.exit(f"{path.name}: {case.name}: there is no command")
        case.name = f"{path.stem}: {case.name}"
    return cases


def make_files(root, files):
    for name, data in files.items():
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if not name.endswith("/"):
            with open(path, "wb") as file:
                file.write(data)
            os.utime(path, (1700000000,) * 2)


def snapshot(root):
    found = {}
    for folder, dirs, files in os.walk(os.fsencode(root)):
        for name in dirs + files:
            path = os.path.join(folder, name)
            short = os.path.relpath(path, os.fsencode(root))
            if os.path.islink(path):
                found[short] = b"link:" + os.readlink(path)
            elif os.path.isfile(path):
                with open(path, "rb") as file:
                    found[short] = file.read()
            else:
                found[short] = None
    return found


class Answer:
    def __init__(self, out, err, status, root, tree):
        root = root.encode()
        self.out, self.err = (text.replace(root + b"/", b"/").replace(root, b"/") for text in (out, err))
        self.status = status
        self.tree = {name: data.replace(root + b"/", b"/").replace(root, b"/") if data else data for name, data in tree.items()}

    def first_error(self):
        line = self.err.decode(errors="replace").split("\n", 1)[0]
        return re.sub(r"^\S*\bba?sh: (-c: )?(line \d+: )?", "bash: ", line)


def environment(home):
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": home, "LC_ALL": "C.UTF-8", "TZ": "UTC", "TMPDIR": "/tmp",
            "ASAN_OPTIONS": "detect_leaks=0"}


class Program:
    """A shell of this machine; a folder of its own for each case."""

    def __init__(self, program):
        self.program = program

    @contextmanager
    def root(self):
        root = tempfile.mkdtemp(prefix="bx-bash-")
        try:
            yield root
        finally:
            shutil.rmtree(root, ignore_errors=True)

    def run(self, case, root):
        done = subprocess.run([self.program, "-c", case.command], cwd=root, env=environment(root), stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=TIMEOUT_S)
        return Answer(done.stdout, done.stderr, done.returncode, root, snapshot(root))


def empty(folder):
    for entry in os.scandir(folder) if os.path.isdir(folder) else ():
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)


class Boxes:
    """The tool in as many servers as cases run side by side; a root is used by one case at a time."""

    def __init__(self, binary, count, stack):
        os.environ["BOXAGNTS"] = binary
        sys.path.insert(0, str(HERE.parent / "flow"))
        from boxagnts import Server, Workspace  # it wants to know the binary
        self.free, self.of = queue.SimpleQueue(), {}
        for _ in range(count):
            workspace = Workspace()
            stack.callback(workspace.close)
            server = Server(workspace)
            stack.callback(server.end)
            self.of[workspace.root] = server
            self.free.put(workspace)

    @contextmanager
    def root(self):
        workspace = self.free.get()
        try:
            empty(workspace.root)
            empty(os.path.join(workspace.state, "tmp"))
            yield workspace.root
        finally:
            self.free.put(workspace)

    def run(self, case, root):
        code, answer = self.of[root].call("POST", "/tools/bash/run", {"input": {"command": case.command}})
        try:
            said = answer["metadata"]
            return Answer(said["stdout"].encode("utf-8", "surrogateescape"), said["stderr"].encode("utf-8", "surrogateescape"),
                          said["exit_status"], root, snapshot(root))
        except (KeyError, TypeError) as error:
            raise AssertionError(f"no result ({error!r}): {code} {answer}")


def cut(text):
    return repr(text) if len(text) < 500 else f"{text[:240]!r} [...] {text[-240:]!r}"


def compare(case, real, ours):
    if ours.out != real.out:
        yield f"stdout is {cut(ours.out)}\n           not {cut(real.out)}"
    if ours.status != real.status:
        yield f"status is {ours.status}, not {real.status}"
    if case.stderr and ours.first_error() != real.first_error():
        yield f"stderr is {ours.first_error()!r}, not {real.first_error()!r}"
    for name in sorted(set(ours.tree) | set(real.tree)):
        if ours.tree.get(name, b"(not there)") != real.tree.get(name, b"(not there)"):
            yield f"file {name!r} is {ours.tree.get(name, '(not there)')!r}, not {real.tree.get(name, '(not there)')!r}"


def run_case(case, ours):
    """What is wrong with it. `ours` has root(), a context with an empty folder, and run(case, root)."""
    answers = []
    try:
        for side in (Program("/bin/bash"), ours):
            with side.root() as root:
                make_files(root, case.files)
                answers.append(side.run(case, root))
        wrong = list(compare(case, *answers))
        return wrong + [f"stderr said {cut(answers[1].err)}"] if wrong and answers[1].err else wrong
    except (AssertionError, OSError, subprocess.TimeoutExpired) as error:
        return [str(error)]


def main():
    parser = argparse.ArgumentParser()
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--boxagnts")
    which.add_argument("--native")
    parser.add_argument("-k", default="", help="only cases whose name or command holds this text")
    parser.add_argument("-v", action="store_true", help="name every case")
    options = parser.parse_args()
    cases = [case for path in sorted(CASES.glob("*.txt")) for case in read_cases(path)]
    names = [case.name for case in cases]
    double = {name for name in names if names.count(name) > 1}
    if double:
        sys.exit(f"two cases are called {sorted(double)}")
    cases = [case for case in cases if options.k in case.name or options.k in case.command]
    if options.native:
        cases = [case for case in cases if not case.box_only]
    program = os.path.abspath(options.boxagnts or options.native)
    width = max(2, os.cpu_count() or 2)
    equal = bad = 0
    with ExitStack() as stack:
        ours = Boxes(program, width, stack) if options.boxagnts else Program(program)
        pool = stack.enter_context(concurrent.futures.ThreadPoolExecutor(width))
        for case, wrong in zip(cases, pool.map(lambda case: run_case(case, ours), cases)):
            equal += not wrong
            listed = case.differs and options.boxagnts # what is listed is said of the box
            if wrong and listed:
                if options.v:
                    print(f"differs {case.name}: {case.differs}")
            elif wrong:
                bad += 1
                print(f"FAIL {case.name}", *wrong, sep="\n     ")
            elif listed:
                bad += 1
                print(f"FAIL {case.name}\n     it is listed as different, but is equal now: take the line out")
            elif options.v:
                print(f"ok   {case.name}")
    share = equal / max(1, len(cases))
    print(f"{equal} of {len(cases)} cases are equal to bash ({100 * share:.1f} %), {bad} failed")
    sys.exit(1 if bad or not cases or (not options.k and share < WANTED_EQUAL) else 0)


if __name__ == "__main__":
    main()

"""The shell warm, a whole call over HTTP, against `bash -c` of the machine: turn by turn in the same run."""
import os
import statistics

from rig import now_us

COMMANDS = [  # what, command, milliseconds that it may take
    ("a trivial command", "echo hello", 3),
    ("a pipeline of three stages", "cat file0.txt | grep -c fox | tr 0-9 a-j", 10),
]


def boxed_us(server, command):
    began = now_us()
    result = server.post("/api/v1/tools/bash/run", {"input": {"command": command}})
    took = now_us() - began
    if result["metadata"]["exit_status"] != 0:
        raise SystemExit(f"bench: {command}: {result}")
    return took, result["receipt"]["used"]["wall_us"]


def native_us(folder, command):
    """posix_spawn, so that a big parent costs nothing; its output goes nowhere."""
    quiet = [(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)]
    began = now_us()
    pid = os.posix_spawn("/bin/bash", ["bash", "-c", f"cd {folder}; {command}"], {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
                         file_actions=quiet)
    _, status = os.waitpid(pid, 0)
    if status != 0:
        raise SystemExit(f"bench: bash -c {command}: status {status}")
    return now_us() - began


def measure(server, folder, turns):
    """Yields (what, times of the calls, medians inside the box and of the machine's bash: microseconds; the goal in milliseconds)."""
    for what, command, goal_ms in COMMANDS:
        for _ in range(5):
            boxed_us(server, command)
        whole, inside, native = [], [], []
        for _ in range(turns):
            took, box = boxed_us(server, command)
            whole.append(took)
            inside.append(box)
            native.append(native_us(folder, command))
        yield what, whole, statistics.median(inside), statistics.median(native), goal_ms

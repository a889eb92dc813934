"""What measurements share: processes on chosen CPUs, what they cost, functions to call."""
import os
import pathlib
import re
import select
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def threads(pid):
    """Thread id → (CPU nanoseconds, nanoseconds that it waited for a CPU)."""
    found = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        run, waited = (task / "schedstat").read_text().split()[:2]
        found[int(task.name)] = (int(run), int(waited))
    return found


def cpu_seconds(pid):
    return sum(run for run, _ in threads(pid).values()) / 1e9


def machine_seconds():
    user, nice, system, _, _, irq, softirq = map(
        int, pathlib.Path("/proc/stat").read_text().split()[1:8])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def need(*tools):
    for tool in tools:
        if shutil.which(tool) is None:
            raise SystemExit(f"{tool} is missing: bash bench/run installs it")


def divided_cpus(cores=1):
    """The first CPU, or so many of them, for the program, and all others, as taskset takes them."""
    cpus = [str(cpu) for cpu in sorted(os.sched_getaffinity(0))]
    if len(cpus) <= cores:
        raise SystemExit(f"{cores + 1} CPUs are needed: {cores} for the program, one for the rest")
    return ",".join(cpus[:cores]), ",".join(cpus[cores:])


def pinned(cpus, command, **options):
    return subprocess.Popen(["taskset", "-c", cpus, *map(str, command)], text=True, **options)


def read_until(process, stream, pattern):
    """The first match of `pattern` in the process's lines; fails when it ends or 10 s pass."""
    while select.select([stream], [], [], 10)[0]:
        line = stream.readline()
        if not line:
            break
        if found := re.search(pattern, line):
            return found.group(1)
    raise SystemExit(f"{process.args} did not say {pattern}")


def start_functions(build, count, cpus, started, *more):
    """The addresses of `count` functions; `more` as bench/functions takes it, else they answer at once."""
    command = [pathlib.Path(build) / "bench/functions", count, *more]
    functions = pinned(cpus, command, stdout=subprocess.PIPE)
    started.append(functions)
    return read_until(functions, functions.stdout, r"(127\.0\.0\.1:.*)").split()


def stop_all(started):
    for process in reversed(started):
        process.terminate()
        process.wait()

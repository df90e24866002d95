"""The machine, and what it charges for a program."""

import datetime
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
AGENTDROP = TARGET / "release/agentdrop"
LOAD = TARGET / "release/agentdrop-bench"


def fail(message):
    sys.exit(f"bench: {message}")


def say(message):
    print(f"bench: {message}", file=sys.stderr, flush=True)


def run(command, **options):
    """Runs a command to its end: seconds of CPU and of the wall, and the peak of its memory."""
    options.setdefault("stdout", subprocess.DEVNULL)
    started = time.monotonic()
    process, peak = subprocess.Popen([str(it) for it in command], **options), 0
    # Looked at now and then: what the system says at the end counts what this process holds, too.
    while True:
        ended, status, used = os.wait4(process.pid, os.WNOHANG)
        if ended:
            break
        peak = max(peak, high_water(process.pid, "VmHWM"))
        time.sleep(0.01)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        fail(f"{command[0]} {command[1]} ended with {process.returncode}")
    return {
        "cpu_s": used.ru_utime + used.ru_stime,
        "wall_s": time.monotonic() - started,
        "peak_mib": peak or used.ru_maxrss / 1024,
    }


def text(command, **options):
    """What a command prints; nothing, if it cannot be run."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, **options).stdout.strip()
    except OSError:
        return ""


def stat(pid):
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()


def family(pid):
    """A process and those that it started."""
    parents = {}
    for it in Path("/proc").iterdir():
        if it.name.isdigit():
            try:
                parents[int(it.name)] = int(stat(it.name)[1])
            except OSError:
                pass
    found = [pid]
    for it in found:
        found += [child for child, parent in parents.items() if parent == it]
    return found


def cpu(pid):
    """Seconds of CPU that a process and its children had."""
    total = 0
    for it in family(pid):
        try:
            fields = stat(it)
        except OSError:
            continue
        # Those that were waited for, too.
        total += sum(int(fields[n]) for n in (11, 12, 13, 14))
    return total / os.sysconf("SC_CLK_TCK")


def memory(pid, what):
    """MiB that a process has (`VmRSS`), or had at most (`VmHWM`), with its children."""
    return sum(high_water(it, what) for it in family(pid))


def high_water(pid, what):
    """The same of one process; nothing, if it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return int(status.split(f"{what}:")[1].split()[0]) / 1024 if f"{what}:" in status else 0


def describe(folder):
    """The machine as it is, with how busy it is, for nothing that is measured means anything without."""
    model = [it for it in Path("/proc/cpuinfo").read_text().splitlines() if it.startswith("model name")]
    changed = text(["git", "-C", ROOT, "status", "--porcelain", "--untracked-files=no"])
    return {
        "cores": os.cpu_count(),
        "cpu": model[0].split(":", 1)[1].strip() if model else platform.machine(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "kernel": platform.release(),
        "disk": text(["stat", "--file-system", "--format=%T", folder]),
        "load_before": os.getloadavg()[0],
        "at": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "commit": text(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"]) + (" with changes" if changed else ""),
    }

"""A server of ours, watched from outside."""

import json
import os
import socket
import subprocess
import time
from pathlib import Path

from . import machine
from .machine import AGENTDROP, LOAD, TARGET, fail, say


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def await_port(address, process, what, seconds=20):
    """Waits until somebody listens."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            socket.create_connection(address.split(":"), 1).close()
            return
        except OSError:
            if process.poll() is not None:
                fail(f"{what} ended with {process.returncode}")
            time.sleep(0.01)
    fail(f"{what} does not come up")


class Server:
    """Durable, as everybody runs it; only the limits on how often one may ask are off."""

    def __init__(self, folder, *options):
        self.folder = folder
        self.data = folder / "data"
        self.options = [str(it) for it in options]
        self.start()

    def start(self):
        self.launch()
        await_port(self.address, self.process, "the server")

    def launch(self):
        """Starts it, without waiting for it."""
        self.address = f"127.0.0.1:{free_port()}"
        self.url = f"http://{self.address}"
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [str(AGENTDROP), "serve", "--requests-per-minute", "0", "--data-dir", str(self.data),
                 "--listen", self.address, *self.options],
                stdout=subprocess.DEVNULL, stderr=log, env={**os.environ, "RUST_LOG": "warn"})

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.stop()

    def cpu(self):
        return machine.cpu(self.process.pid)

    def rss_mib(self):
        return machine.memory(self.process.pid, "VmRSS")

    def peak_mib(self):
        return machine.memory(self.process.pid, "VmHWM")

    def load(self, what, *options, profile=None, midway=None):
        """Puts a load on it; answers what came of it, and what it cost both sides. `midway` is called once it has
        said a first line."""
        command = [LOAD, what, "--server", self.address, *options]
        profiler = profile and Profiler(self.process.pid, profile)
        before, since = self.cpu(), time.monotonic()
        process = subprocess.Popen([str(it) for it in command], stdout=subprocess.PIPE)
        if midway and process.stdout.readline():
            midway()
        said = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        spent, took = self.cpu() - before, time.monotonic() - since
        if profiler:
            profiler.end()
        if process.returncode != 0:
            fail(f"agentdrop-bench {what} ended with {process.returncode}; the server said:\n"
                 + (self.folder / "server.log").read_text()[-2000:])
        found = json.loads(said)
        found["server_cores"] = spent / took
        found["load_cores"] = (used.ru_utime + used.ru_stime) / took
        return found

    def world(self, name, accounts, agents, keys=False, password=None):
        """Makes accounts with agents; answers the file that says who they are."""
        path = self.folder / f"{name}.json"
        options = ["--accounts", accounts, "--agents", agents, "--name", name, *(["--keys"] if keys else []),
                   *(["--password", password] if password else [])]
        with path.open("wb") as out:
            machine.run([LOAD, "world", "--server", self.address, *options], stdout=out)
        return path


class Profiler:
    """Records where a process spends its time, and prints the top of it."""

    def __init__(self, pid, name):
        folder = TARGET / "bench"
        folder.mkdir(parents=True, exist_ok=True)
        self.data = folder / f"{name}.perf"
        command = ["perf", "record", "-F", "499", "--call-graph", "dwarf,16384", "-o", self.data, "-p", pid]
        self.process = subprocess.Popen([str(it) for it in command], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)

    def end(self):
        self.process.send_signal(2)
        self.process.wait()
        report = ["perf", "report", "-i", str(self.data), "--stdio", "--no-children", "-g", "none",
                  "--percent-limit", "0.7"]
        Path(f"{self.data}.txt").write_text(machine.text(report))
        say(f"profile in {self.data}, its top in {self.data}.txt")

"""Asks ours and the published one what they say of files, whatever it does to them."""

import json
import os
import resource
import selectors
import subprocess
from collections import deque
from pathlib import Path

from benching.machine import LOAD, ROOT, cpu

# What a judge may have before it is ended, for the others' sake.
MEMORY, SECONDS = 3 << 30, 60


def limits():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    os.nice(5)


def ours(paths, rules_of=False):
    """(a line of each file, the last line of each process): a file that ends the process is named, and the rest is asked again."""
    found, ends, left = {}, [], [str(it) for it in paths]
    while left:
        command = [LOAD, "shield", *(["--findings"] if rules_of else []), "--", *left]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=limits)
        try:
            out, error = process.communicate(timeout=SECONDS * 30)
        except subprocess.TimeoutExpired:
            process.kill()
            out, error = process.communicate()
        lines = [json.loads(it) for it in out.decode().splitlines() if it.endswith("}")]
        found.update({it["path"]: it for it in lines if "path" in it})
        ends += [it for it in lines if "path" not in it]
        done = sum(1 for it in left if it in found)
        if process.returncode == 0:
            break
        found[left[done]] = {"path": left[done], "level": "DIED", "blocked": False, "rules": [], "ms": None,
                             "error": error.decode()[-300:]}
        left = left[done + 1:]
    return found, ends


def speed(folders, seconds):
    """What it says of its own speed, in time of the processor: others may have had it in between."""
    asked = subprocess.run([LOAD, "shield-speed", "--seconds", str(seconds), *folders], stdout=subprocess.PIPE, check=True)
    return json.loads(asked.stdout)


class Published:
    """One process of the published Shield."""

    def __init__(self, mode):
        script = Path(__file__).parent / "published.py"
        self.process = subprocess.Popen([ROOT / ".venv/bin/python", "-B", script, mode], stdin=subprocess.PIPE, bufsize=0,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, preexec_fn=limits)
        self.path, self.since, self.rest = None, None, b""

    def ask(self, path):
        self.path, self.since = path, None
        self.process.stdin.write(f"{path}\n".encode())

    def answer(self):
        """What it says; nothing, if it says more later. One that has ended says so."""
        read = os.read(self.process.stdout.fileno(), 1 << 16)
        if not read:
            return {"path": self.path, "level": "DIED", "blocked": False, "rules": [], "ms": None}
        self.rest += read
        if not self.rest.endswith(b"\n"):
            return None
        lines, self.rest = self.rest.splitlines(), b""
        said = [json.loads(it) for it in lines]
        for it in said:
            if it.get("begun"):
                # It is loaded, and has read the file: from here on it counts, in time of the processor, of which others may take much.
                self.since = cpu(self.process.pid)
        return next((it for it in said if not it.get("begun")), None)

    def took(self):
        return cpu(self.process.pid) - self.since if self.since is not None else 0

    def end(self):
        self.process.kill()
        self.process.wait()


def published(paths, mode, most, pool=2):
    """A line of each file. One that takes more than `most` seconds is given up, which is an answer, too."""
    left, found, idle = deque(str(it) for it in paths), {}, [Published(mode) for _ in range(pool)]
    chooser, busy = selectors.DefaultSelector(), set()
    while left or busy:
        while left and idle:
            one = idle.pop()
            one.ask(left.popleft())
            busy.add(one)
            chooser.register(one.process.stdout, selectors.EVENT_READ, one)
        for key, _ in chooser.select(timeout=0.5):
            one = key.data
            said = one.answer()
            if said is not None:
                found[said["path"]] = said
                busy.remove(one)
                chooser.unregister(one.process.stdout)
                idle.append(one if said["level"] != "DIED" else Published(mode))
        for one in [it for it in busy if it.took() > most]:
            found[one.path] = {"path": one.path, "level": "TIMEOUT", "blocked": False, "rules": [], "ms": most * 1000}
            busy.remove(one)
            chooser.unregister(one.process.stdout)
            one.end()
            idle.append(Published(mode))
    for one in idle:
        one.end()
    return found

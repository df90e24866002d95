"""Sending and receiving large files: what each side spends, beside other servers and the machine's own limits."""

import filecmp
import json
import os
import re
import shutil
import statistics
import subprocess
import tempfile
from pathlib import Path

from . import machine, peers, report
from .machine import AGENTDROP, ROOT, fail, say
from .server import Server

TITLE = "Large files"
# From 32 MiB on a file goes in parts; below, as one form.
FORM_MIB = 30
FORMS = 4
# Beyond this the published client goes another way.
PUBLISHED_MIB = 48

PUBLISHED = """
import sys
from agentdrop import AgentDrop
server, key, folder, file, name = sys.argv[1:]
client = AgentDrop(api_key=key, api_base=server, config_dir=f"{folder}/{name}", shield=False)
"""
REGISTER = PUBLISHED + "client.register(name)"
SEND = REGISTER + "\nclient.send('dave', [file])"
RECEIVE = PUBLISHED + "client.download(client.inbox()[0], output_dir=folder)"


class Exchange:
    """A server of ours with two agents on it."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()

    def __enter__(self):
        self.server = Server(self.folder)
        create = [AGENTDROP, "admin", "account", "create", "--name", "Bench", "--email", "bench@example.org",
                  "--data-dir", self.server.data, "--json"]
        self.key = json.loads(machine.text(create))["api_key"]
        self.alice, self.bob = self.agent("alice"), self.agent("bob")
        return self

    def __exit__(self, *_):
        self.server.stop()
        shutil.rmtree(self.folder)

    def agent(self, name):
        environment = {**os.environ, "AGENTDROP_SERVER": self.server.url, "AGENTDROP_CONFIG_DIR": str(self.folder / name)}
        environment.pop("AGENTDROP_API_KEY", None)
        machine.run([AGENTDROP, "register", name, "--quiet"], env={**environment, "AGENTDROP_API_KEY": self.key})
        return environment

    def run(self, file, times=1):
        """Sends a file so often, then receives them all: what each side spent."""
        before, sends = self.server.cpu(), []
        for _ in range(times):
            sends.append(machine.run([AGENTDROP, "send", "bob", file, "--quiet"], env=self.alice))
        sent = self.server.cpu()
        sent_peak, into = self.server.peak_mib(), self.folder / "in"
        receive = machine.run([AGENTDROP, "receive", "--all", "--to", into, "--quiet"], env=self.bob)
        received = self.server.cpu()
        if not all(filecmp.cmp(it, file, shallow=False) for it in into.iterdir()):
            fail("what came is not what was sent")
        shutil.rmtree(into)
        send = {key: (max if key == "peak_mib" else sum)(it[key] for it in sends) for key in sends[0]}
        return {
            "send, client": send,
            "send, server": {"cpu_s": sent - before, "peak_mib": sent_peak},
            "receive, client": receive,
            "receive, server": {"cpu_s": received - sent, "peak_mib": self.server.peak_mib()},
        }

    def published(self, file):
        """The published client with a file, its start and its registration included."""
        python = ROOT / ".venv/bin/python"
        if not python.exists():
            return {"published client": "not installed: run scripts/setup"}
        arguments = [self.server.url, self.key, self.folder, file]
        quiet = {"stderr": subprocess.DEVNULL}
        machine.run([python, "-c", REGISTER, *arguments, "dave"], **quiet)
        send = machine.run([python, "-c", SEND, *arguments, "carol"], **quiet)
        return {"published client, send": send,
                "published client, receive": machine.run([python, "-c", RECEIVE, *arguments, "dave"], **quiet)}


def median(runs):
    return {row: {figure: statistics.median(it[row][figure] for it in runs) for figure in runs[0][row]} for row in runs[0]}


def rows_of(found, mib, durable=None, prefix="", suffix=""):
    """What was found, as rows; what was not is said in words."""
    for name, it in found.items():
        figures = {"missing": it} if isinstance(it, str) else {**it, "cpu_s_per_gib": it["cpu_s"] * 1024 / mib}
        yield {"what": prefix + name + suffix, "mib": mib, "durable": durable, **figures}


def chance(path, mib):
    with path.open("wb") as out:
        for _ in range(mib):
            out.write(os.urandom(2**20))
    return path


def limits(folder, file, mib):
    """What the machine can do at all, with as many bytes."""
    copy = folder / "copy"
    found = {"limit: copy to disk with fsync (dd)": machine.run(
        ["dd", f"if={file}", f"of={copy}", "bs=1M", "conv=fsync"], stderr=subprocess.DEVNULL)}
    copy.unlink()
    found["limit: SHA-256 (sha256sum)"] = machine.run(["sha256sum", file])
    found["limit: loopback, both ends"] = peers.loopback(mib)
    speed = machine.text(["openssl", "speed", "-mr", "-seconds", "1", "-bytes", "65536", "-evp", "aes-256-gcm"])
    if rate := re.search(r"^\+F:.*:([0-9.]+)$", speed, re.MULTILINE):
        found["limit: AES-256-GCM (openssl speed)"] = {"cpu_s": mib * 2**20 / float(rate[1])}
    return found


def against(folder, file, mib):
    """The peers, one after the other, each on its own."""
    for peer in peers.servers(folder):
        if why := peer.missing():
            yield {"what": peer.name, "missing": f"not installed: {why}"}
            continue
        say(f"bytes: {peer.name}, {peer.durable}")
        peer.folder.parent.mkdir(exist_ok=True)
        with peer:
            found = {"upload, server": peer.measure(lambda: peer.put(file))}
            if not isinstance(peer, peers.Rustus):
                found["download, server"] = peer.measure(lambda: peer.get(file))
        shutil.rmtree(peer.folder)
        yield from rows_of(found, mib, peer.durable, prefix=f"{peer.name}, ")
    say("bytes: sendme")
    found = peers.sendme(folder, file)
    if isinstance(found, str):
        yield {"what": "sendme", "missing": f"not measured: {found}"}
    else:
        yield from rows_of(found, mib, "no fsync")
    shutil.rmtree(folder / "sendme-to", ignore_errors=True)


def run(wanted):
    rows, mib = [], wanted.mib
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        described = machine.describe(folder)
        file = chance(folder / "file.bin", mib)
        form, small = (chance(folder / f"{it}.bin", it) for it in (FORM_MIB, PUBLISHED_MIB))
        say("bytes: ours")
        with Exchange(folder / "parts") as ours:
            rows += rows_of(median([ours.run(file) for _ in range(wanted.runs)]), mib, "fsync")
        with Exchange(folder / "forms") as ours:
            found = median([ours.run(form, FORMS) for _ in range(wanted.runs)])
            rows += rows_of(found, FORM_MIB * FORMS, "fsync", suffix=f", {FORMS} × {FORM_MIB} MiB, as forms")
        with Exchange(folder / "published") as ours:
            rows += rows_of(ours.published(small), PUBLISHED_MIB, suffix=f", {PUBLISHED_MIB} MiB")
        rows += against(folder, file, mib)
        rows += rows_of(limits(folder, file, mib), mib)
        file.unlink()
        if wanted.large:
            say("bytes: ours, 10 GiB")
            large = chance(folder / "large.bin", 10 * 1024)
            with Exchange(folder / "large") as ours:
                rows += rows_of(ours.run(large), 10 * 1024, "fsync", suffix=", 10 GiB")
    missing = [f"{it['what']}: {it['missing']}." for it in rows if "missing" in it]
    parts = [
        f"A file of {mib:,} MiB of chance over the loopback, all on this machine; ours are medians of {wanted.runs} runs, "
        "with encryption and verification, peers one run each, as they are. Where nothing else is said, a file goes in "
        "parts. `fsync` says who answers only when it would outlive a power cut. A peak is of one process with those "
        "that it started; a server's is of all it did so far.",
        report.table([("what", "work"), ("cpu_s_per_gib", "CPU seconds a GiB"), ("cpu_s", "CPU seconds"),
                      ("wall_s", "wall seconds"), ("peak_mib", "peak, MiB"), ("durable", "durable")],
                     [it for it in rows if "missing" not in it]),
        *(["Not measured: " + " ".join(missing)] if missing else []),
        *([] if wanted.large else ["`--large` adds a file of 10 GiB."]),
    ]
    report.write("bytes", TITLE, described, {"mib": mib, "runs": wanted.runs, "rows": rows}, parts)

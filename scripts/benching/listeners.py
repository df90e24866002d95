"""How soon agents that listen hear of what they were sent, and what each of them costs."""

import tempfile
import time
from pathlib import Path

from . import machine, report
from .machine import say
from .server import Server

TITLE = "Many who listen"
# As many as an account may have, and the one that sends.
PER_ACCOUNT = 63


def measure(folder, wanted, count):
    """So many listeners, on a server of their own."""
    accounts = max(1, round(count / PER_ACCOUNT))
    agents = min(count, PER_ACCOUNT) + 1
    with Server(folder, "--max-connections", 20_000, "--max-per-address", 2_000) as server:
        say(f"listeners: making {accounts * agents:,} agents")
        world = server.world("listeners", accounts, agents)
        # What it holds after it made them is not the listeners'.
        time.sleep(1)
        before, inside = server.rss_mib(), {}
        say(f"listeners: {accounts * (agents - 1):,}")
        found = server.load("listeners", "--world", world, "--events", wanted.events, "--pause", 10,
                            profile=wanted.profile(f"listeners-{count}"),
                            midway=lambda: inside.update(rss=server.rss_mib()))
        listeners = found["listeners"]
        return {"what": f"{listeners:,} listeners", **found, "rss_before_mib": before, "rss_mib": inside["rss"],
                "kib_each": (inside["rss"] - before) * 1024 / listeners if listeners > 100 else None,
                "answer_p99_ms": found["answer"]["p99_ms"], "server_peak_mib": server.peak_mib()}


def run(wanted):
    rows = []
    with tempfile.TemporaryDirectory() as name:
        described = machine.describe(name)
        for count in (1, wanted.listeners):
            folder = Path(name) / str(count)
            folder.mkdir()
            rows.append(measure(folder, wanted, count))
    parts = [
        f"Agents listen, {PER_ACCOUNT} of each account, each on a connection of its own; {wanted.events:,} small transfers "
        "are sent one after the other, to one listener each, 10 ms apart. What counts is the time from before the "
        "transfer is sent until its event has arrived, and for comparison until the sender was answered, which is when "
        "the transfer is durable. Every listener of an account is woken by what happens in it. SQLite.",
        report.table([("what", "work"), ("p50_ms", "event p50, ms"), ("p99_ms", "event p99, ms"), ("max_ms", "event max, ms"),
                      ("answer_p99_ms", "answer p99, ms"), ("kib_each", "KiB a listener"),
                      ("rss_mib", "server, MiB"), ("server_cores", "server, cores")], rows),
    ]
    report.write("listeners", TITLE, described, {"events": wanted.events, "rows": rows}, parts)

"""Looks into inboxes a second, with nothing stored and with much, beside the same for a page that is not in a database."""

import tempfile
from pathlib import Path

from . import machine, report
from .machine import say
from .server import Server

TITLE = "Inbox polls a second"
CALLERS = 32
ACCOUNTS, AGENTS = 32, 4


def measure(server, wanted, what, world, query=""):
    say(f"polls: {what}")
    found = server.load("polls", "--world", world, "--callers", CALLERS, "--query", query, "--seconds", wanted.seconds,
                        profile=wanted.profile("polls-" + what.replace(" ", "-").replace(",", "")))
    return {"what": what, **found, "server_rss_mib": server.rss_mib()}


def run(wanted):
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        described = machine.describe(folder)
        with Server(folder) as server:
            world = server.world("pollers", ACCOUNTS, AGENTS, keys=True)
            rows.append(measure(server, wanted, "nothing stored", world))
    parts = [
        f"{CALLERS} callers look into the inboxes of {ACCOUNTS * AGENTS} agents in turn, each with its own key, each as "
        f"soon as the one before was answered, for {wanted.seconds:g} s. SQLite.",
        report.table([("what", "work"), ("per_second", "a second"), ("p50_ms", "p50, ms"), ("p99_ms", "p99, ms"),
                      ("answer_bytes", "answer, bytes"), ("server_cores", "server, cores"),
                      ("load_cores", "callers, cores"), ("server_rss_mib", "server, MiB")], rows),
    ]
    report.write("polls", TITLE, described, {"callers": CALLERS, "rows": rows}, parts)

"""Whether the time of an answer tells who has an account, on both engines (T11 of the threat model)."""

import tempfile
from pathlib import Path

from . import machine, report
from .machine import say
from .postgres import Postgres
from .server import Server

TITLE = "What the time of an answer tells of an address"


def measure(server, wanted, engine):
    """Asks about as many addresses with an account as without."""
    say(f"strangers: {engine}, {wanted.rounds} rounds")
    world = server.world("known", 2 * wanted.rounds, 1, password="correct horse battery staple")
    found = server.load("strangers", "--world", world)
    return [{"what": f"{engine}: {it['question']}", **it} for it in found["questions"]]


def run(wanted):
    rows = []
    with tempfile.TemporaryDirectory() as name:
        described = machine.describe(name)
        for engine in ("SQLite", "PostgreSQL"):
            folder = Path(name) / engine.lower()
            folder.mkdir()
            if engine == "SQLite":
                with Server(folder) as server:
                    rows += measure(server, wanted, engine)
            else:
                with Postgres() as database, Server(folder, "--database-url", database.url) as server:
                    rows += measure(server, wanted, engine)
    parts = [
        f"One caller asks about {wanted.rounds} addresses with an account, and about as many without, turn about, with "
        "pauses, and times each answer. Means are without the slowest tenth, which is the machine's. t is Welch's, of "
        "the two means: from 4.5 on, either way, an answer tells by its time who has an account. A busy machine may "
        "hide a difference.",
        report.table([("what", "question"), ("known_median_us", "with account, median, µs"),
                      ("nobody_median_us", "without, median, µs"), ("known_mean_us", "with, mean, µs"),
                      ("nobody_mean_us", "without, mean, µs"), ("t", "t")], rows),
    ]
    report.write("strangers", TITLE, described, {"rounds": wanted.rounds, "rows": rows}, parts)

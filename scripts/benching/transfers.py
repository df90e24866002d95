"""Small transfers a second through the API, on both engines, beside what the disk makes durable."""

import json
import tempfile
from pathlib import Path

from . import machine, report
from .machine import LOAD, say
from .postgres import Postgres
from .server import Server

TITLE = "Small transfers a second"
CALLERS = 32
BYTES = 4096


def sync(folder, seconds):
    """Durable writes a second, from one thread and from as many as there are callers."""
    with tempfile.TemporaryFile() as out:
        machine.run([LOAD, "sync", "--folder", folder, "--threads", f"1,{CALLERS}", "--seconds", seconds], stdout=out)
        out.seek(0)
        return json.load(out)


def measure(server, wanted, name, accounts, **cost):
    """Sends for a while, as many callers over as many accounts."""
    world = server.world(f"world-{accounts}", accounts, 2)
    say(f"transfers: {name}, {accounts} accounts")
    found = server.load("transfers", "--world", world, "--callers", CALLERS, "--bytes", BYTES,
                        "--seconds", wanted.seconds, profile=wanted.profile(f"transfers-{name}-{accounts}"))
    return {"what": f"{name}, {accounts} account{'s' * (accounts > 1)}", **found, "server_peak_mib": server.peak_mib()}


def run(wanted):
    described, rows = None, []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        described = machine.describe(folder)
        before = sync(folder, wanted.seconds / 4)
        for engine in ("SQLite", "PostgreSQL"):
            place = folder / engine.lower()
            place.mkdir()
            for accounts in (CALLERS, 1):
                if engine == "SQLite":
                    rows.append(on_sqlite(place, wanted, accounts))
                else:
                    rows.append(on_postgres(place, wanted, accounts))
        after = sync(folder, wanted.seconds / 4)
    for threads in ("1", str(CALLERS)):
        both = [before[threads]["per_second"], after[threads]["per_second"]]
        rows.append({"what": f"limit: pages of 4 KiB made durable (fdatasync), {threads} threads, better of 2",
                     **max(before[threads], after[threads], key=lambda it: it["per_second"]), "both": both})
    parts = [
        f"{CALLERS} callers send files of {BYTES:,} bytes, sealed, each as soon as the one before was answered, for "
        f"{wanted.seconds:g} s. Everything durable: the row, with the bytes beside it, outlives a power cut before the "
        "answer is sent. PostgreSQL is as it installs itself. Nobody encrypts on the caller's side; the load generator "
        "shares the machine with the server.",
        report.table([("what", "work"), ("per_second", "a second"), ("p50_ms", "p50, ms"), ("p99_ms", "p99, ms"),
                      ("server_cores", "server, cores"), ("load_cores", "callers, cores"),
                      ("server_peak_mib", "server peak, MiB")], rows),
    ]
    report.write("transfers", TITLE, described, {"callers": CALLERS, "bytes": BYTES, "rows": rows}, parts)


def on_sqlite(folder, wanted, accounts):
    place = folder / str(accounts)
    place.mkdir()
    with Server(place) as server:
        return measure(server, wanted, "SQLite", accounts)


def on_postgres(folder, wanted, accounts):
    place = folder / str(accounts)
    place.mkdir()
    with Postgres() as database, Server(place, "--database-url", database.url) as server:
        before = database.cpu()
        found = measure(server, wanted, "PostgreSQL", accounts)
        return {**found, "database_cpu_s": database.cpu() - before}

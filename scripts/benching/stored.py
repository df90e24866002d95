"""Looks into inboxes, and starts, with many transfers stored, a million by default: beside the same with none."""

import json
import socket
import tempfile
import time
from pathlib import Path

from . import machine, report
from .machine import AGENTDROP, LOAD, fail, say
from .server import Server

TITLE = "With many transfers stored"
CALLERS = 32
# Who asks: so many accounts with so many agents, the first of which sends.
POLLERS = (32, 4)
# Whose the million are.
CROWD = (100, 11)
STARTS = 5


def poll(server, wanted, what, world):
    say(f"stored: {what}")
    name = "polls-" + "".join(it if it.isalnum() else "-" for it in what)
    found = server.load("polls", "--world", world, "--callers", CALLERS, "--seconds", wanted.seconds,
                        profile=wanted.profile(name))
    return {"what": what, **found, "server_rss_mib": server.rss_mib()}


def seed(server, world, accounts):
    """Lets each account send something, which copies can be made of."""
    server.load("transfers", "--world", world, "--callers", accounts, "--bytes", 4096, "--seconds", 0, "--warm-up", 0)


def fill(server, world, count, *options):
    """Copies what was sent, while the server stops for it."""
    say(f"stored: filling in {count:,} transfers")
    server.stop()
    machine.run([LOAD, "fill", "--data-dir", server.data, "--world", world, "--count", count, *options])
    server.start()


def first_answer(server):
    """Seconds until a server that is started answers, and whether it was ready for more than that."""
    began = time.monotonic()
    server.launch()
    host, port = server.address.split(":")
    while True:
        try:
            with socket.create_connection((host, int(port)), 5) as connection:
                connection.sendall(b"GET /readyz HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
                if connection.recv(64).split(b" ")[1] == b"200":
                    return time.monotonic() - began
        except OSError:
            pass
        if time.monotonic() - began > 60 or server.process.poll() is not None:
            fail("the server does not start")
        time.sleep(0.001)


def starts(server, what, stop):
    times = []
    for _ in range(STARTS):
        stop()
        server.process.wait()
        times.append(first_answer(server) * 1000)
        # What it does after that is not to run into the next.
        time.sleep(0.5)
    return {"what": what, "p50_ms": sorted(times)[STARTS // 2], "max_ms": max(times), "starts": times}


def both_starts(server, stored):
    return [starts(server, f"{stored}, stopped before", lambda: server.process.terminate()),
            starts(server, f"{stored}, killed before", lambda: server.process.kill())]


def check(server):
    """What `admin check` says of all that was filled in."""
    say("stored: admin check")
    done = json.loads(machine.text([AGENTDROP, "admin", "check", "--data-dir", server.data, "--json"]))
    if done["wrong"]:
        fail(f"{done['wrong']:,} of {done['transfers']:,} transfers are wrong, says admin check")
    return f"{done['transfers']:,} transfers with bytes, none wrong"


def run(wanted):
    million = wanted.stored
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        described = machine.describe(folder)
        with Server(folder) as server:
            pollers = server.world("pollers", *POLLERS, keys=True)
            waiting = server.world("waiting", 1, 2, keys=True)
            crowd = server.world("crowd", *CROWD)
            # Before anything is measured, so that each answer is as long as the same one later.
            for world, accounts in ((pollers, POLLERS[0]), (waiting, 1), (crowd, CROWD[0])):
                seed(server, world, accounts)
            few = "next to nothing stored"
            rows.append(poll(server, wanted, few, pollers))
            beginning = both_starts(server, few)
            fill(server, crowd, million)
            beginning += both_starts(server, f"{million:,} stored")
            rows.append(poll(server, wanted, f"{million:,} stored, of others", pollers))
            each = 1000
            fill(server, pollers, POLLERS[0] * (POLLERS[1] - 1) * each, "--done")
            rows.append(poll(server, wanted, f"the same, {each:,} received by each who asks", pollers))
            fill(server, waiting, each)
            rows.append(poll(server, wanted, f"the same, {each:,} waiting for the one who asks, pages of 50", waiting))
            checked = "not run" if wanted.quick else check(server)
            size = sum(it.stat().st_size for it in server.data.glob("agentdrop.db*")) / 2**20
    parts = [
        f"{CALLERS} callers look into inboxes in turn, each with a key of its agent, each as soon as the one before was "
        f"answered, for {wanted.seconds:g} s; of four agents one has a transfer waiting. SQLite, {size:,.0f} MiB at the end. The store's own code wrote the rows and "
        f"the audit logs; `admin check`: {checked}.",
        report.table([("what", "work"), ("per_second", "a second"), ("p50_ms", "p50, ms"), ("p99_ms", "p99, ms"),
                      ("answer_bytes", "answer, bytes"), ("server_cores", "server, cores"),
                      ("load_cores", "callers, cores"), ("server_rss_mib", "server, MiB")], rows),
        f"From the start of the process to the first answer of `/readyz`; {STARTS} starts each. What is on the disk is "
        "in the machine's memory before.",
        report.table([("what", "start"), ("p50_ms", "median, ms"), ("max_ms", "longest, ms")], beginning),
    ]
    result = {"callers": CALLERS, "stored": million, "polls": rows, "starts": beginning, "check": checked}
    report.write("stored", TITLE, described, result, parts)

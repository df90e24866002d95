"""How long it takes to build everything anew, as whoever installs it does."""

import os
import tempfile

from . import machine, report
from .machine import ROOT, say

TITLE = "A cold build"


def run(_wanted):
    described = machine.describe(ROOT)
    say("build: everything anew, which takes its ten minutes")
    with tempfile.TemporaryDirectory() as folder:
        # What is downloaded is there before; what a wrapper has kept is not used.
        environment = {**os.environ, "CARGO_TARGET_DIR": folder, "CARGO_INCREMENTAL": "0", "RUSTC_WRAPPER": ""}
        machine.run(["cargo", "fetch", "--locked"], cwd=ROOT)
        found = machine.run(["cargo", "build", "--locked", "--release"], cwd=ROOT, env=environment)
        size = os.path.getsize(f"{folder}/release/agentdrop") / 2**20
    row = {"what": "`cargo build --release`, cold", "wall_min": found["wall_s"] / 60, "cpu_min": found["cpu_s"] / 60,
           "binary_mib": size}
    columns = [("what", "work"), ("wall_min", "wall, minutes"), ("cpu_min", "CPU, minutes"), ("binary_mib", "binary, MiB")]
    report.write("build", TITLE, described, {"rows": [row]}, [report.table(columns, [row])])

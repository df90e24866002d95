"""Runs both over the samples, and counts."""

import hashlib
import json
from collections import defaultdict

from benching.machine import say

from . import judges

FLAGGED = ("MEDIUM", "HIGH", "CRITICAL")
# What is asked of the published one, which takes seconds for what takes ours milliseconds: how many of each part, how long at most.
SAMPLE = {"benign": (320, 60_000), "attacks": (260, 60_000), "carriers": (1000, 200_000), "twins": (1000, 200_000), "eicar": (100, 200_000),
          "clamav": (100, 100_000), "known bombs": (100, 20_000_000), "large": (100, 300_000), "alike": (100, 60_000), "carried": (60, 60_000), "carried twins": (60, 60_000),
          "fresh attacks": (100, 60_000), "fresh twins": (100, 60_000)}


def rank(row):
    return hashlib.sha256(f"sample {row['sha256']}".encode()).digest()


def part_of(row):
    if row["part"] == "bombs":
        return f"{row['family']} bombs"
    return row["part"]


class Samples:
    """What was collected, by part."""

    def __init__(self, folder):
        self.folder = folder
        self.parts = defaultdict(list)
        for row in json.loads((folder / "manifest.json").read_text()):
            self.parts[part_of(row)].append({**row, "path": str(folder / row["path"])})

    def fresh(self):
        """What was written for this alone, and is part of the project; or lies beside the samples until it is."""
        for part in ("attacks", "twins"):
            for path in sorted((self.folder / "fresh" / part).glob("*")):
                content = path.read_bytes()
                self.parts[f"fresh {part}"].append({"part": "fresh", "family": part, "name": path.name, "path": str(path), "bytes": len(content),
                                                    "sha256": hashlib.sha256(content).hexdigest()})

    def sample(self, part):
        count, longest = SAMPLE[part]
        rows = [it for it in self.parts[part] if it["bytes"] <= longest]
        return sorted(rows, key=rank)[:count]


def of_ours(samples, parts):
    """What ours says, part by part; a bomb has a process of its own, whose memory is known."""
    said, peaks = {}, {}
    for part in parts:
        paths = [it["path"] for it in samples.parts[part]]
        say(f"shield: ours, {len(paths)} of {part}")
        if part == "known bombs":
            for path in paths:
                found, ends = judges.ours([path])
                said.update(found)
                peaks[path] = max((it["peak_mib"] for it in ends), default=None)
            continue
        step = 50 if "bombs" in part else len(paths)
        for n in range(0, len(paths), step):
            found, ends = judges.ours(paths[n:n + step], rules_of=part in ("benign", "twins", "carried twins", "alike"))
            said.update(found)
            for path in paths[n:n + step]:
                peaks[path] = max((it["peak_mib"] for it in ends), default=None)
    return said, peaks


def of_published(samples, parts, most):
    said, default = {}, {}
    for part in parts:
        rows = samples.sample(part)
        say(f"shield: the published one, {len(rows)} of {part}")
        said.update(judges.published([it["path"] for it in rows], "block", most))
        default.update(judges.published([it["path"] for it in rows[:10]], "review", most))
    return said, default


def count(rows, said):
    """How many were judged, flagged and blocked."""
    rows = [it for it in rows if it["path"] in said]
    answers = [said[it["path"]] for it in rows]
    return {"judged": len(rows), "flagged": sum(it["level"] in FLAGGED for it in answers),
            "blocked": sum(it["blocked"] for it in answers), "gave up": sum(it["level"] in ("DIED", "TIMEOUT", "PANIC") for it in answers)}


def by_family(rows, said):
    families = defaultdict(list)
    for it in rows:
        families[it["family"]].append(it)
    return {family: count(those, said) for family, those in sorted(families.items())}


def bounded(rows, said, peaks=None):
    """Bombs that end within five seconds, and with less than 256 MiB where that is known."""
    fine = 0
    for it in rows:
        answer = said.get(it["path"])
        if answer and answer["ms"] is not None and answer["ms"] <= 5000 and answer["level"] not in ("DIED", "TIMEOUT", "PANIC"):
            fine += not peaks or (peaks.get(it["path"]) or 0) <= 256
    return {"judged": sum(it["path"] in said for it in rows), "bounded": fine}

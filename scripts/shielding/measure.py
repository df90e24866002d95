"""Runs both over the samples, and counts."""

import hashlib
import json
from collections import defaultdict

from benching.machine import say

from . import judges

FLAGGED = ("MEDIUM", "HIGH", "CRITICAL")
# What is asked of the published one, which takes seconds for what takes ours milliseconds: how many of each part, how long at most.
SAMPLE = {"benign": (240, 60_000), "attacks": (240, 30_000), "carriers": (1000, 200_000), "twins": (1000, 200_000), "eicar": (100, 200_000),
          "clamav": (100, 100_000), "known bombs": (100, 20_000_000), "large": (100, 300_000), "alike": (100, 60_000), "carried": (60, 60_000), "carried twins": (60, 60_000),
          "fresh attacks": (100, 60_000), "fresh twins": (100, 60_000),
          "subtle attacks": (100, 60_000), "subtle twins": (100, 60_000)}


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


def of_published(samples, parts, most, again):
    """What the published one says. It says the same tomorrow, so it is asked about a file once, unless it is asked again."""
    kept = samples.folder / "published.json"
    known = json.loads(kept.read_text()) if kept.exists() and not again else {}
    answers = {}
    for mode, count in (("block", None), ("review", 10)):
        answers[mode] = {}
        for part in parts:
            # It judges in the same way in both modes, and only acts on it in one: a bomb takes as long.
            rows = samples.sample(part)[:count] if mode == "block" or part != "known bombs" else []
            new = [it for it in rows if f"{mode} {most} {it['name']} {it['sha256']}" not in known]
            if new:
                say(f"shield: the published one, {len(new)} of {part}, mode {mode}")
            said = judges.published([it["path"] for it in new], mode, most)
            for it in rows:
                key = f"{mode} {most} {it['name']} {it['sha256']}"
                known[key] = known.get(key) or said[it["path"]]
                answers[mode][it["path"]] = known[key]
            kept.write_text(json.dumps(known))
    return answers["block"], answers["review"]


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

"""What was missed, and what was found where nothing is: for whoever mends rules."""

from importlib.metadata import distributions

from benching import report
from benching.machine import ROOT

from .measure import FLAGGED
from .tables import COLUMNS


def version():
    """Of the published Shield."""
    paths = [str(it) for it in (ROOT / ".venv/lib").glob("python3*/site-packages")]
    return next((it.version for it in distributions(path=paths) if it.name == "agentdrop"), "?")


def short(samples, ours, peaks):
    """Names of what is in small sets, and of bombs that were too much."""
    def names(part, is_found, name):
        return sorted(it[name] for it in samples.parts[part] if it["path"] in ours and not is_found(it["path"]))

    def is_bounded(path):
        said = ours[path]
        return said["ms"] is not None and said["ms"] <= 5000 and said["level"] != "PANIC" and (peaks.get(path) or 0) <= 256

    return {
        "carriers that were not blocked": names("carriers", lambda it: ours[it]["blocked"], "family"),
        "carriers that were not flagged": names("carriers", lambda it: ours[it]["level"] in FLAGGED, "family"),
        "EICAR": names("eicar", lambda it: ours[it]["blocked"], "name"),
        "clamav-testfiles": names("clamav", lambda it: ours[it]["level"] in FLAGGED, "name"),
        "bombs that are known, and took too much": names("known bombs", is_bounded, "name"),
        "bombs that were generated, and took too much": names("generated bombs", is_bounded, "name"),
        "files that ended the scanner": sorted(it["path"].split("/", 3)[-1] for it in ours.values() if it["level"] in ("PANIC", "DIED")),
    }


def first(path, most=260):
    with open(path, encoding="utf-8", errors="replace") as it:
        return " ".join(it.read(4000).split())[:most].replace("|", "¦").replace("`", "'")


def write(path, samples, ours, alarms, rows):
    """With texts of what may be tuned on; of what is held out, only the share."""
    lines = ["# Misses and false alarms", "", "Texts only of what may be tuned on.", "", report.table(COLUMNS, rows), ""]
    for what, those in short(samples, ours, {}).items():
        lines += [f"- {what}: {', '.join(those) if those else 'none'}"]
    lines += ["", "## False alarms", ""]
    for it in alarms:
        found = [one for one in ours[it["path"]].get("findings", []) if one[1] in FLAGGED]
        lines.append(f"- {it['level']} {it['path']} ({it['file']} of {it['of']}):")
        lines += [f"  - {one[1]} {one[0]} at {one[2]} line {one[3]}: {one[4]}" for one in found[:3]]
    for setting, key in (("document", "flagged"), ("chat", "blocked")):
        lines += ["", f"## Missed, {setting}, not {key}", ""]
        for it in samples.parts["attacks"] + samples.parts["own attacks"]:
            said = ours.get(it["path"])
            is_found = said and (said["blocked"] if key == "blocked" else said["level"] in FLAGGED)
            if said and not is_found and it["setting"] == setting and it["split"] == "tune":
                lines.append(f"- {it['path']} {said['level']}: {first(it['path'])}")
    lines += ["", "## Flagged, though harmless", ""]
    for it in samples.parts["own twins"]:
        said = ours.get(it["path"])
        if said and said["level"] in FLAGGED and it["split"] == "tune":
            lines.append(f"- {it['path']} {said['level']} {', '.join(sorted({rule for rule, _ in said['rules']}))}: {first(it['path'])}")
    path.write_text("\n".join(lines) + "\n")

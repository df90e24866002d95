"""The table of what must hold, and what was found."""

from benching import report

from .measure import FLAGGED, bounded, by_family, count

COLUMNS = [("what", "what"), ("published_default", "published, default"), ("published", "published, block mode"), ("same", "ours, same files"),
           ("ours", "ours, all"), ("aim", "aim")]


def share(found, key, of=None):
    judged = found["judged"]
    if not judged:
        return None
    return f"{found[key] / judged:.1%} of {judged:,}" if of is None else f"{found[key]:,} of {judged:,}"


class Table:
    """Ours beside the published one, on the same files and on all."""

    def __init__(self, ours, published, default):
        self.ours, self.published, self.default = ours, published, default
        self.rows = []

    def row(self, what, rows, key, aim, whole=None):
        same = [it for it in rows if it["path"] in self.published]
        self.rows.append({
            "what": what, "aim": aim,
            "published_default": share(count(rows, self.default), key, whole),
            "published": share(count(rows, self.published), key, whole),
            "same": share(count(same, self.ours), key, whole),
            "ours": share(count(rows, self.ours), key, whole),
        })

    def bombs(self, what, rows, peaks, aim):
        same = [it for it in rows if it["path"] in self.published]
        self.rows.append({
            "what": what, "aim": aim,
            "published": share(bounded(rows, self.published), "bounded", True),
            "same": share(bounded(same, self.ours, peaks), "bounded", True),
            "ours": share(bounded(rows, self.ours, peaks), "bounded", True),
        })


def fill(samples, ours, peaks, published, default):
    parts, table = samples.parts, Table(ours, published, default)
    attacks = parts["attacks"]

    def of(setting, split):
        return [it for it in attacks if it["setting"] == setting and it["split"] == split]

    everyday = [it for it in parts["benign"] if it["family"] != "about-injection"]
    table.row("ordinary files blocked", everyday, "blocked", "≤ 0.3 %")
    table.row("ordinary files flagged (medium and above)", everyday, "flagged", "≤ 2 %")
    table.row("the same, of packages held out: blocked", [it for it in everyday if it["split"] == "held-out"], "blocked", "≤ 0.3 %")
    table.row("texts about prompt injection blocked", [it for it in parts["benign"] if it["family"] == "about-injection"], "blocked", "")
    table.row("harmless texts that look like attacks blocked", parts["alike"], "blocked", "")
    table.row("ordinary ZIP, DOCX, MP4, MP3, random bytes, 16 KiB to 100 MiB, blocked", parts["large"], "blocked", "0", True)
    table.row("one strong payload in carriers and disguises, blocked", parts["carriers"], "blocked", "98 %", True)
    table.row("the same carriers with a harmless text, flagged", parts["twins"], "flagged", "0", True)
    table.row("chat jailbreaks blocked, families held out", of("chat", "held-out"), "blocked", "90 %")
    table.row("chat jailbreaks blocked, families tuned on", of("chat", "tune"), "blocked", "")
    table.row("injections inside documents flagged, families held out", of("document", "held-out"), "flagged", "65 %")
    table.row("injections inside documents blocked, families held out", of("document", "held-out"), "blocked", "")
    table.row("injections inside documents flagged, families tuned on", of("document", "tune"), "flagged", "")
    table.row("the same families in Office, PDF, HTML, mail and archives, flagged", parts["carried"], "flagged", "65 %")
    table.row("ordinary texts in the same, blocked", parts["carried twins"], "blocked", "0")
    table.row("ordinary texts in the same, flagged", parts["carried twins"], "flagged", "")
    for part, words in (("fresh", "attacks of our own, not seen by whoever wrote rules"),
                        ("subtle", "the same, by somebody who knows what scanners look for")):
        for which, words in (("attacks", words), ("twins", "their harmless twins")):
            if parts[f"{part} {which}"]:
                table.row(f"{words}, flagged", parts[f"{part} {which}"], "flagged", "")
                table.row(f"{words}, blocked", parts[f"{part} {which}"], "blocked", "")
    for split, those in (("held-out", "held out"), ("tune", "tuned on")):
        for part, words in (("own attacks", "attacks of our own in documents"), ("own twins", "their harmless twins")):
            rows = [it for it in parts[part] if it["split"] == split]
            table.row(f"{words}, families {those}: flagged", rows, "flagged", "")
            table.row(f"{words}, families {those}: blocked", rows, "blocked", "")
    table.row("Debian's clamav-testfiles found", parts["clamav"], "flagged", "all", True)
    table.row("EICAR found, in every wrapper", parts["eicar"], "blocked", "all", True)
    table.bombs("bombs that are known, within 5 s and 256 MiB", parts["known bombs"], peaks, "all")
    table.bombs("bombs that were generated, within 5 s and 256 MiB", parts["generated bombs"], peaks, "all")
    return table.rows


def false_alarms(samples, ours):
    """Ordinary files that were flagged, with what each rule said."""
    found = []
    for part in ("benign", "twins", "carried twins", "large"):
        for it in samples.parts[part]:
            said = ours.get(it["path"])
            if said and said["level"] in FLAGGED:
                rules = [rule for rule, level in said["rules"] if level in FLAGGED]
                found.append({"part": part, "family": it["family"], "file": it["name"], "of": it.get("source", ""),
                              "level": said["level"], "rules": ", ".join(sorted(set(rules))), "path": it["path"]})
    return sorted(found, key=lambda it: (it["part"], it["level"] == "MEDIUM", it["rules"]))


def families(samples, ours, published):
    rows = []
    for part in ("attacks", "benign"):
        theirs = by_family(samples.parts[part], published)
        for family, found in by_family(samples.parts[part], ours).items():
            one = next(it for it in samples.parts[part] if it["family"] == family)
            other = theirs[family]
            rows.append({"what": f"{part}: {family}", "split": one.get("split", "") if part == "attacks" else "",
                         "ours": f"{found['flagged']} / {found['blocked']} of {found['judged']}",
                         "published": f"{other['flagged']} / {other['blocked']} of {other['judged']}" if other["judged"] else ""})
    return rows


SPEEDS = [("what", "sort"), ("mb_s", "MB for a second of one processor, of all rounds the median"), ("slowest", "slowest"), ("fastest", "fastest")]


def parts_of(rows, alarms, of_family, misses, speed, text):
    names = [("part", "part"), ("family", "family"), ("file", "file"), ("of", "of"), ("level", "level"), ("rules", "rules")]
    lost = "\n".join(f"- {what}: {', '.join(those) if those else 'none'}" for what, those in misses.items())
    return [*text, report.table(COLUMNS, rows), "## How fast", report.table(SPEEDS, speed),
            "## What was missed", lost, "## Ordinary files that were flagged", report.table(names, alarms) if alarms else "None.",
            "## By family", "Flagged / blocked.", report.table([("what", "family"), ("split", ""), ("ours", "ours"),
                                                                 ("published", "published, block mode, of the sample")], of_family)]

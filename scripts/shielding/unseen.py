"""Attacks that whoever wrote rules had not seen, each with its harmless twin: those of the project's tests, and subtle ones."""

from pathlib import Path

try:
    import tomllib
except ImportError:  # Python 3.10
    import tomli as tomllib

from benching.machine import ROOT

from . import own

SETS = {"fresh": [ROOT / "crates/shield/tests/it/unseen.toml"], "subtle": sorted((Path(__file__).parent / "subtle").glob("*.toml"))}


def write(store):
    for name, files in SETS.items():
        pairs = [pair for it in files for pair in tomllib.loads(it.read_text())["pair"]]
        for part, key in ((f"{name} attacks", "attack"), (f"{name} twins", "harmless")):
            store.renew(part)
            for n, pair in enumerate(pairs):
                content = own.within(pair["document"], pair[key], pair["name"])
                store.add(part, "unseen", content.encode(), f"{n:02}-{pair['name']}", named=True)

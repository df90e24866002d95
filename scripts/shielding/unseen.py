"""Attacks that whoever wrote rules had not seen, each with its harmless twin: they are part of the project's tests."""

try:
    import tomllib
except ImportError:  # Python 3.10
    import tomli as tomllib

from benching.machine import ROOT

PAIRS = ROOT / "crates/shield/tests/it/unseen.toml"


def write(store, pairs=PAIRS):
    for part, key in (("fresh attacks", "attack"), ("fresh twins", "harmless")):
        store.renew(part)
        for n, pair in enumerate(tomllib.loads(pairs.read_text())["pair"]):
            text = pair[key].replace('"', '\\"') if pair["name"].endswith(".json") else pair[key]
            store.add(part, "unseen", pair["document"].replace("{}", text).encode(), f"{n:02}-{pair['name']}", named=True)

"""Pairs of our own, written for tuning: a text that wants something from a machine, and its harmless twin in the same document.

Each file of own/ is a family, which is one idea. A third of them is held out: nobody reads those who writes rules. It is run by itself
to renew these samples alone: python -m shielding.own FOLDER.
"""

import hashlib
import json
import sys
from pathlib import Path

try:
    import tomllib
except ImportError:  # Python 3.10
    import tomli as tomllib

from . import grammar
from .store import Store

PAIRS = Path(__file__).parent / "own"


def split(family):
    """Which part a family is in, for ever."""
    return "held-out" if hashlib.sha256(f"own {family}".encode()).digest()[0] % 3 == 0 else "tune"


def within(document, text, name):
    """The document with a text in it."""
    if name.endswith((".json", ".ipynb")):
        text = json.dumps(text, ensure_ascii=False)[1:-1]
    return document.lstrip("\n").replace("{}", text)


def write(store):
    for part, key in (("own attacks", "attack"), ("own twins", "harmless")):
        store.renew(part)
        for path in sorted(PAIRS.glob("*.toml")):
            for n, pair in enumerate(tomllib.loads(path.read_text())["pair"]):
                content = within(pair["document"], pair[key], pair["name"])
                store.add(part, path.stem, content.encode(), f"{n:02}-{pair['name']}", named=True, source="own", setting="document",
                          group=path.stem, split=split(path.stem), language=pair["language"])


if __name__ == "__main__":
    store = Store(Path(sys.argv[1]))
    write(store)
    grammar.write(store)
    store.write()

"""Sentences that are put together from parts, for tuning: how a wish to a machine is said, and how ordinary ones are."""

import hashlib
import random
import re
from pathlib import Path

try:
    import tomllib
except ImportError:  # Python 3.10
    import tomli as tomllib

GRAMMAR = Path(__file__).parent / "grammar.toml"
COUNT = 1500


def filled(text, lists, chance):
    """The text with one of its list in the place of each name in braces."""
    while found := re.search(r"\{([^{}]+)\}", text):
        text = text[:found.start()] + chance.choice(lists[found[1]]) + text[found.end():]
    return text


def sentences(side):
    """Always the same ones."""
    grammar, chance, known = tomllib.loads(GRAMMAR.read_text())[side], random.Random(f"shield {side}"), set()
    for n in range(COUNT):
        text = filled(grammar["texts"][n % len(grammar["texts"])], grammar["lists"], chance)
        if text not in known:
            known.add(text)
            yield text


def write(store):
    for part, side in (("made attacks", "attack"), ("made twins", "ordinary")):
        store.renew(part)
        for text in sentences(side):
            group = int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) % 12
            store.add(part, f"{side}-{group:02}", text.encode(), source="own", setting="document", group=f"{side}-{group:02}", split="tune")

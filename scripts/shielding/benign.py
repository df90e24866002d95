"""Ordinary files, of packages: what people write, and send each other."""

import hashlib
import re
from collections import Counter, defaultdict
from pathlib import Path

# How many of one family, and of one package in it; how long they may be.
MOST, OF_ONE, LONGEST = 160, 24, 3_000_000

# What is about attacks holds them as data, or makes them, and is neither ordinary nor an attack; what is said about it is ordinary.
ABOUT = (r"/(garak|spikee|bastion\w*|agentbastion|ctxsentry|deepteam|llm[-_]guard|nemoguardrails|pkg_inject|rag_sanitizer|rebuff|"
         r"redoubt|skillshield|unicode_smuggling_guard|promptfoo|garak_multilingual)-[^/]*")

# The first that fits the path says the family.
FAMILIES = [
    ("about-injection", ABOUT + r"/.*(METADATA|README[^/]*|CHANGELOG[^/]*|\.md|\.rst)$"),
    ("", ABOUT),
    ("", r"/clamav-testfiles"),
    ("licences", r"/(LICEN[CS]E|COPYING|COPYRIGHT|NOTICE)[^/]*$|/copyright$|/licenses?/[^/]*$"),
    ("changelogs", r"/(CHANGE(LOG|S)|HISTORY|NEWS|RELEASES?)[^/]*(?<!\.gz)$"),
    ("readmes", r"/(README|METADATA|PKG-INFO|CONTRIBUTING|SECURITY)[^/]*$"),
    ("html", r"\.x?html?$"),
    ("docs", r"\.(md|rst|txt|adoc|tex|pod|texi)$"),
    ("mail", r"\.(eml|msg)$|/t/data/[^/]*\.mbox|/mail_?[^/]*/.*test_?\d+$|/msgs?/[^/]+$"),
    ("pdf", r"\.pdf$"),
    ("docx", r"\.do[ct]x$"),
    ("xlsx", r"\.xl[st]x$|\.xls$"),
    ("pptx", r"\.p(pt|ot)x$"),
    ("opendocument", r"\.(od[tspgf]|ot[tspg])$"),
    ("books", r"\.epub$"),
    ("compound", r"\.(doc|ppt)$"),
    ("rtf", r"\.rtf$"),
    ("pictures", r"\.(png|jpe?g|gif|webp|tiff?|bmp|ico)$"),
    ("svg", r"\.svgz?$"),
    ("sound", r"\.(mp3|ogg|oga|flac|wav|m4a|wma|opus|aiff?|mpc|wv|ape|mid|pat)$"),
    ("film", r"\.(mp4|m4v|webm|mkv|ogv|avi)$"),
    ("csv", r"\.(csv|tsv)$"),
    ("json", r"\.(json|jsonl|ipynb)$"),
    ("xml", r"\.(xml|xsl|docbook|xsd|rdf|ui|xcu)$"),
    ("settings", r"\.(ya?ml|toml|ini|cfg|conf)$"),
    ("translations", r"\.(po|mo|pot)$"),
    ("styles", r"\.(css|scss)$"),
    ("python", r"\.pyi?$"),
    ("rust", r"\.rs$"),
    ("javascript", r"\.[cm]?[jt]sx?$"),
    ("c", r"\.(c|h|cc|cpp|S)$"),
    ("scripts", r"\.(sh|bash|pl|pm|rb|bat|ps1|R|m|lua)$|/bin/[^/.]+$"),
    ("archives", r"\.(zip|whl|jar|tar|tgz|tar\.(gz|xz|bz2)|deb|7z)$"),
    ("compressed", r"\.(gz|bz2|xz|zst)$"),
    ("fonts", r"\.(ttf|otf|pfb|woff2?|afm)$"),
    ("binary", r"\.(so|bin|dat|npy|npz|mat|dta|rda|rds|dll|a|sqlite|db)(\.\d+)*$"),
]
FAMILIES = [(family, re.compile(pattern, re.I)) for family, pattern in FAMILIES]


def rank(path):
    """An order that has nothing to do with what is in a file, and stays."""
    return hashlib.sha256(f"shield {path}".encode()).digest()


def candidates(folders):
    """(package, path in it, file)."""
    for package, folder in folders:
        for path in folder.rglob("*"):
            if path.is_file() and not path.is_symlink():
                yield package, f"/{package}/{path.relative_to(folder)}", path


def crates(registry):
    """Sources of crates, as cargo has unpacked them to build this project."""
    return [(f"crate-{it.name}", it) for source in sorted(registry.glob("src/*")) for it in sorted(source.iterdir())]


def collect(unpacked, packages):
    """(family, name, bytes, source) of each sample."""
    folders = [(folder.name, folder) for folder in unpacked.values()] + crates(Path.home() / ".cargo/registry")
    found = defaultdict(list)
    for package, inside, path in candidates(folders):
        family = next((family for family, pattern in FAMILIES if pattern.search(inside)), "")
        if family and 0 < path.stat().st_size <= LONGEST:
            found[family].append((rank(inside), package, path))
    for source in sorted(packages.iterdir()):
        for path in source.iterdir():
            if path.stat().st_size <= LONGEST and "clamav" not in path.name and not re.search(ABOUT, f"/{path.name}"):
                found["archives"].append((rank(path.name), source.name, path))
    known = set()
    for family, those in sorted(found.items()):
        counts, taken = Counter(), 0
        for _, package, path in sorted(those, key=lambda it: it[0]):
            # What Debian makes of one source in several languages is one.
            kin = re.split(r"[-_.]", package)[0] if not package.startswith("crate-") else package
            content = path.read_bytes()
            digest = hashlib.sha256(content).digest()
            if counts[kin] >= OF_ONE or digest in known:
                continue
            known.add(digest)
            counts[kin] += 1
            taken += 1
            yield family, path.name, content, package
            if taken == MOST:
                break

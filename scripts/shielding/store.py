"""Writes samples, one a file, and a manifest that says where each is from."""

import hashlib
import json
import re
import shutil
from collections import Counter

EXTENSIONS = re.compile(r"(\.tar)?\.[A-Za-z0-9]{1,8}$")


class Store:
    """A folder of samples. Whatever is in the part of it that is written anew goes first."""

    def __init__(self, folder):
        self.folder = folder
        self.path = folder / "manifest.json"
        self.rows = json.loads(self.path.read_text()) if self.path.exists() else []

    def renew(self, part):
        """Forgets the samples of one part: `attacks`, `benign` …"""
        shutil.rmtree(self.folder / part, ignore_errors=True)
        self.rows = [it for it in self.rows if it["part"] != part]
        self.counts = Counter()

    def add(self, part, family, content, name=None, **more):
        """Writes a sample. Its name tells no more than where it is from and what it is called there."""
        self.counts[family] += 1
        number = self.counts[family]
        end = EXTENSIONS.search(name).group() if name and EXTENSIONS.search(name) else ".txt" if name is None else ""
        path = self.folder / part / family / (f"{number:03}{end}" if not more.pop("named", False) else name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self.rows.append({"part": part, "family": family, "path": str(path.relative_to(self.folder)), "name": name,
                          "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content), **more})

    def write(self):
        self.path.write_text(json.dumps(self.rows, indent=0, ensure_ascii=False) + "\n")

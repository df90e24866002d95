"""The published Shield, as its package has it: judges the files whose paths it is told, a line each."""

import json
import logging
import sys
import time
from pathlib import Path

from agentdrop.shield import ScanConfig, Shield

logging.disable(logging.CRITICAL)


def main():
    shield = Shield(ScanConfig(shield_mode=sys.argv[1]))
    for line in sys.stdin:
        path = Path(line.rstrip("\n"))
        content = path.read_bytes()
        print(json.dumps({"path": str(path), "begun": True}), flush=True)
        began = time.process_time()
        try:
            found = shield.scan(content, path.name)
            # In its mode of review, which is what it does unless it is told, it never says that a file is not safe.
            said = {"level": found.threat_level.name, "blocked": not found.safe, "rules": [
                [it.pattern_name, it.threat_level.name] for it in found.injection_findings[:20]]}
        except Exception as error:  # noqa: BLE001 — whatever it is, it is its answer
            said = {"level": "ERROR", "blocked": False, "rules": [], "error": repr(error)[:200]}
        print(json.dumps({"path": str(path), "ms": (time.process_time() - began) * 1000, **said}), flush=True)


main()

"""One agent listens and downloads what comes by itself, while another sends: argv is server, key, folder."""

import queue
import sys
import time
from pathlib import Path

from agentdrop import AgentDrop

server, key, folder = sys.argv[1:]


def agent(name):
    it = AgentDrop(api_key=key, api_base=server, config_dir=str(Path(folder, name)), shield=False)
    it.register(name)
    return it


alice, bob = agent("alice"), agent("bob")
told, wrong = queue.Queue(), queue.Queue()
into = Path(folder, "inbox")
into.mkdir()
bob.listen_sse(told.put, on_error=wrong.put, auto_download=True, download_dir=str(into), reconnect_delay=1)
# It does not say when it is connected: what is sent before, it is not told of.
first = Path(folder, "first.txt")
first.write_bytes(b"is anybody there?")
for _ in range(60):
    alice.send("bob", [str(first)])
    try:
        data = told.get(timeout=1)
        break
    except queue.Empty:
        pass
else:
    sys.exit(f"nothing was told: {list(wrong.queue)}")
while True:
    try:
        told.get(timeout=0.5)
    except queue.Empty:
        break

numbers = Path(folder, "numbers.bin")
numbers.write_bytes(bytes(range(256)) * 64)
sent = alice.send("bob", [str(numbers)], message="look")
deadline = time.monotonic() + 30
while time.monotonic() < deadline:
    data = told.get(timeout=30)
    if data.get("files_local"):
        break
assert data["id"] == sent["id"], (data, sent["id"])
assert data["sender"] == "alice" and data["recipient"] == "bob", data
(file,) = data["files_local"]
assert Path(file["path"] if isinstance(file, dict) else file).read_bytes() == numbers.read_bytes()
assert wrong.empty(), list(wrong.queue)
print("equal")

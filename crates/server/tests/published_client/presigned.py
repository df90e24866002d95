"""The published client, unmodified, sends what is large: argv is the server, a folder, two keys, a proxy.

The proxy stands before the server and lets some uploads of parts fail.
"""

import random
import sys
from pathlib import Path

import requests
from agentdrop import AgentDrop

server, folder, keys, proxy = sys.argv[1], Path(sys.argv[2]), sys.argv[3:5], sys.argv[5]


def agent(key, name, base=server):
    client = AgentDrop(api_key=key, api_base=base, config_dir=str(folder / name / ".agentdrop"), shield=False)
    client.register(name, name=name.title())
    return client


def call(key, method, path, **body):
    headers = {"Authorization": f"Bearer {key}"}
    answer = requests.request(method, f"{server}{path}", json=body or None, headers=headers)
    assert answer.ok, answer.text
    return answer.json()


alice, bob = agent(keys[0], "alice"), agent(keys[1], "bob")
id = call(keys[0], "POST", "/v1/connections", email="jamie@example.com")["id"]
call(keys[1], "POST", f"/v1/connections/{id}/accept")
made = call(keys[0], "POST", f"/v1/connections/{id}/pairings", my_agent_id="alice", their_agent_id="bob")
call(keys[1], "POST", f"/v1/pairings/{made['id']}/confirm")

large, small = folder / "large.bin", folder / "small.txt"
large.write_bytes(random.Random(7).randbytes(60_000_000))
small.write_bytes(b"hello")
paths = [str(large), str(small)]


def exchange(sender, by, **more):
    progress = []
    answer = sender.send("bob", paths, message="for you", on_progress=progress.append, **more)
    assert answer["upload_path"] == by and answer["status"] == "active", answer
    assert progress[-1].phase == "done" and progress[-1].percent == 100.0, progress[-1]
    (waiting,) = [it for it in bob.inbox() if it.id == answer["id"]]
    assert waiting.sender == "alice" and waiting.message == "for you"
    assert waiting.is_encrypted is True
    into = folder / answer["id"]
    into.mkdir()
    got = {it["name"]: Path(it["path"]) for it in bob.download(waiting, output_dir=str(into))}
    assert sorted(got) == ["large.bin", "small.txt"], got
    for path in (large, small):
        assert got[path.name].read_bytes() == path.read_bytes(), path
        got[path.name].unlink()


exchange(alice, "presigned")
parts = {"multipart_threshold": 1, "multipart_part_size": 5 * 1024 * 1024}
exchange(alice, "multipart", **parts)
# Each part that comes through the proxy fails twice before it is let through.
through = requests.put


def put(url, *args, **kwargs):
    return through(url.replace(server, proxy), *args, **kwargs)


requests.put = put
exchange(alice, "multipart", **parts)
requests.put = through
print("equal")

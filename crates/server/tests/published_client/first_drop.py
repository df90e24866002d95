"""The published client, unmodified, against our server: argv is the server, the account's key, a folder."""

import sys
from pathlib import Path

from agentdrop import AgentDrop

server, key, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])


def agent(name):
    # Its Shield takes a minute and more for five megabytes; one small file goes through it below.
    client = AgentDrop(api_key=key, api_base=server, config_dir=str(folder / name / ".agentdrop"), shield=False)
    client.register(name, name=name.title())
    return client


alice, bob = agent("alice"), agent("bob")
sent = {"empty.bin": b"", "five.bin": bytes(range(256)) * 20_000, "größe – 数据.txt": b"hello"}
for name, content in sent.items():
    (folder / name).write_bytes(content)
paths = [str(folder / name) for name in sent]


def exchange(sender, receiver, path):
    answer = sender.send(receiver.agent_id, paths, message="for you")
    channel = bool(answer.get("channel_id"))
    assert channel == (path == "channel"), answer
    assert answer["is_encrypted"] is True
    (waiting,) = [it for it in receiver.inbox() if it.id == answer["id"]]
    assert waiting.sender == sender.agent_id and waiting.message == "for you"
    into = folder / answer["id"]
    into.mkdir()
    got = {it["name"]: Path(it["path"]).read_bytes() for it in receiver.download(waiting, output_dir=str(into))}
    assert got == sent, sorted(got)


exchange(alice, bob, "channel")
exchange(bob, alice, "channel")
for client in (alice, bob):
    client._get_or_create_channel = lambda recipient: None  # what it does itself where channels fail
exchange(alice, bob, "wrapped")
exchange(bob, alice, "wrapped")

profile = bob.startup()
assert profile["agent"]["agent_id"] == "bob" and profile["inbox"]["unread_transfers"] == 2, profile
assert sorted(it["agent_id"] for it in alice.list_agents()) == ["alice", "bob"]

made = alice.create_agent_key("bob", name="ci")
assert made["api_key"].startswith("ada_")
assert "ci" in [it["name"] for it in alice.list_agent_keys("bob")]
scoped = AgentDrop(api_key=made["api_key"], api_base=server, config_dir=str(folder / "bob" / ".agentdrop"), shield=False)
assert scoped.startup()["agent"]["agent_id"] == "bob" and len(scoped.inbox()) == 2
exchange(scoped, alice, "channel")
alice.revoke_agent_key("bob", made["id"])
try:
    scoped.startup()
    raise SystemExit("a revoked key still works")
except Exception as error:
    assert getattr(error, "code", None) == "KEY_REVOKED", error

shielded = AgentDrop(api_key=key, api_base=server, config_dir=str(folder / "bob" / ".agentdrop"))
answer = alice.send("bob", [paths[2]])
(waiting,) = [it for it in shielded.inbox() if it.id == answer["id"]]
assert [it["name"] for it in shielded.download(waiting, output_dir=str(folder))] == ["größe – 数据.txt"]
judged = shielded._shield.scan_with_server(b"The meeting is on Tuesday.", "notes.txt", api_key=key, base_url=server)
assert (judged.final_verdict, judged.safe) == ("clean", True), judged

bob.disconnect()
assert sorted(it["connection_status"] for it in alice.list_agents()) == ["connected", "disconnected"]
print("equal")

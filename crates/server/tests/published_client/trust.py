"""The published client, unmodified, across accounts: argv is the server, a folder, three keys.

The first account's `alice` is paired with the `bob` of the second and with the `bob` of the third.
"""

import sys
from pathlib import Path

import requests
from agentdrop import AgentDrop
from agentdrop.client import AgentDropAmbiguousRecipientError, AgentDropError

server, folder, keys = sys.argv[1], Path(sys.argv[2]), sys.argv[3:]
emails = ["alex@example.org", "jamie@example.com", "kim@example.net"]


def agent(key, name, where):
    client = AgentDrop(api_key=key, api_base=server, config_dir=str(folder / where / ".agentdrop"), shield=False)
    client.register(name, name=name.title())
    return client


def call(key, method, path, **body):
    headers = {"Authorization": f"Bearer {key}"}
    answer = requests.request(method, f"{server}{path}", json=body, headers=headers)
    assert answer.ok, answer.text
    return answer.json()


def pair(key, mine, other, theirs, email):
    id = call(key, "POST", "/v1/connections", email=email, message="Let's connect our agents!")["id"]
    call(other, "POST", f"/v1/connections/{id}/accept")
    (agent,) = call(key, "GET", f"/v1/connections/{id}/agents")["agents"]
    assert agent["agent_id"] == theirs, agent
    body = {"my_agent_id": mine, "their_agent_id": agent["id"], "permission": "both"}
    made = call(key, "POST", f"/v1/connections/{id}/pairings", **body)
    call(other, "POST", f"/v1/pairings/{made['id']}/confirm")


def exchange(sender, receiver, path, **more):
    content = f"from {sender.agent_id} by {path}".encode()
    (folder / "a.txt").write_bytes(content)
    answer = sender.send(receiver.agent_id, [str(folder / "a.txt")], message="for you", **more)
    assert bool(answer.get("channel_id")) == (path == "channel"), answer
    assert answer["is_encrypted"] is True
    (waiting,) = [it for it in receiver.inbox() if it.id == answer["id"]]
    assert waiting.sender == sender.agent_id and waiting.message == "for you"
    into = folder / answer["id"]
    into.mkdir()
    (got,) = receiver.download(waiting, output_dir=str(into))
    assert Path(got["path"]).read_bytes() == content


alice = agent(keys[0], "alice", "alex")
bob = agent(keys[1], "bob", "jamie")
other = agent(keys[2], "bob", "kim")
(folder / "a.txt").write_bytes(b"x")
try:
    alice.send("bob", [str(folder / "a.txt")])
    raise SystemExit("a stranger can be sent to")
except AgentDropError as error:
    assert error.code in ("SHARE_REQUIRED", "NOT_FOUND"), error

pair(keys[0], "alice", keys[1], "bob", emails[1])
exchange(alice, bob, "channel")
exchange(bob, alice, "channel")

pair(keys[0], "alice", keys[2], "bob", emails[2])
alice = AgentDrop(api_key=keys[0], api_base=server, config_dir=str(folder / "alex" / ".agentdrop"), shield=False)
try:
    alice.send("bob", [str(folder / "a.txt")])
    raise SystemExit("an ambiguous name was not noticed")
except AgentDropAmbiguousRecipientError as error:
    candidates = {it["account_name"]: it for it in error.candidates}
    assert sorted(candidates) == ["Jamie", "Kim"], error.candidates
    assert candidates["Jamie"]["email_masked"] == "ja***@example.com"
    assert candidates["Kim"]["email_masked"] == "ki*@example.net"
for account in (candidates["Kim"]["account_id"], emails[2], "Kim"):
    exchange(alice, other, "wrapped", recipient_account=account)
exchange(other, alice, "channel")

listed = alice.list_connections()
names = sorted(it["other_account"]["name"] for it in listed["active"])
assert names == ["Jamie", "Kim"] and listed["connections"] == listed["active"], listed
assert alice.list_connections(status="pending")["connections"] == []
profile = alice.startup()
assert profile["connections"]["active"] == 2, profile
assert profile["connections"]["paired_agents"] == ["bob", "bob"], profile
print("equal")

"""A published client, unmodified, across accounts: argv is its version, the server, a folder, three keys.

The first account's `alice` is paired with the `bob` of the second and with the `bob` of the third.
What a version has no method for is asked for as HTTP, the way a program on it would have to.
"""

import sys
from importlib import metadata
from pathlib import Path

import agentdrop.client
import requests
from agentdrop import AgentDrop
from agentdrop.client import AgentDropError

version, server, folder, keys = sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4:]
assert metadata.version("agentdrop") == version, metadata.version("agentdrop")
# The first has neither `register` nor `recipient_account`, `startup` and `list_connections`.
is_first = version == "0.2.2"
assert hasattr(AgentDrop, "register") != is_first
Ambiguous = getattr(agentdrop.client, "AgentDropAmbiguousRecipientError", AgentDropError)
emails = ["alex@example.org", "jamie@example.com", "kim@example.net"]


def agent(key, name, where):
    client = AgentDrop(api_key=key, api_base=server, config_dir=str(folder / where / ".agentdrop"), shield=False)
    if is_first:
        made = call(key, "POST", "/v1/agents/register", agent_id=name, name=name.title())
        client.connect(made["connection_token"])
    else:
        client.register(name, name=name.title())
    return client


def call(key, method, path, **body):
    headers = {"Authorization": f"Bearer {key}"}
    answer = requests.request(method, f"{server}{path}", json=body or None, headers=headers)
    assert answer.ok, answer.text
    return answer.json()


def refused(method, path, **how):
    headers = {"Authorization": f"Bearer {keys[0]}"}
    answer = requests.request(method, f"{server}{path}", headers=headers, **how)
    assert answer.status_code == 400, answer.text
    return answer.json()["error"]


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
except Ambiguous as error:
    assert error.code == "AMBIGUOUS_RECIPIENT" and error.status == 400, error
    named = refused("GET", "/v1/agents/resolve?agent_id=bob")["candidates"] if is_first else error.candidates
candidates = {it["account_name"]: it for it in named}
assert sorted(candidates) == ["Jamie", "Kim"], named
assert candidates["Jamie"]["email_masked"] == "ja***@example.com"
assert candidates["Kim"]["email_masked"] == "ki*@example.net"
for account in (candidates["Kim"]["account_id"], emails[2], "Kim"):
    if is_first:
        form = {"sender": "alice", "recipient": "bob", "recipient_account": account, "mode": "agent-to-agent"}
        files = [("files", ("a.txt", b"by hand", "application/octet-stream"))]
        headers = {"Authorization": f"Bearer {keys[0]}"}
        sent = requests.post(f"{server}/v1/transfers", data=form, files=files, headers=headers)
        assert sent.status_code == 201, sent.text
        (waiting,) = [it for it in other.inbox() if it.id == sent.json()["id"]]
        (got,) = other.download(waiting, output_dir=str(folder / waiting.id))
        assert Path(got["path"]).read_bytes() == b"by hand"
    else:
        exchange(alice, other, "wrapped", recipient_account=account)
exchange(other, alice, "channel")

if is_first:
    listed = call(keys[0], "GET", "/v1/connections")
    pending = call(keys[0], "GET", "/v1/connections?status=pending")
    profile = call(keys[0], "GET", "/v1/agents/me")
else:
    listed = alice.list_connections()
    pending = alice.list_connections(status="pending")
    profile = alice.startup()
names = sorted(it["other_account"]["name"] for it in listed["active"])
assert names == ["Jamie", "Kim"] and listed["connections"] == listed["active"], listed
assert pending["connections"] == []
assert profile["connections"]["active"] == 2, profile
assert profile["connections"]["paired_agents"] == ["bob", "bob"], profile
print("equal")

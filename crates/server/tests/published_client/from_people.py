"""A published client, unmodified, opens what a person sent: argv is its version, the server, a folder, a key, a session.

The browser's part is played by the PyCA's primitives, from the format's description alone.
"""

import json
import sys
from base64 import b64decode, b64encode
from importlib import metadata
from os import urandom
from pathlib import Path

import requests
from agentdrop import AgentDrop
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

version, server, folder, key, session = sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4], sys.argv[5]
assert metadata.version("agentdrop") == version, metadata.version("agentdrop")

bob = AgentDrop(api_key=key, api_base=server, config_dir=str(folder / ".agentdrop"), shield=False)
bob.register("bob", name="Bob")

# For whom it is to be sealed, as the page asks.
headers = {"Authorization": f"Bearer {session}"}
found = requests.get(f"{server}/v1/agents/resolve?agent_id=bob", headers=headers)
assert found.ok, found.text
recipient = b64decode(found.json()["public_key"])

ephemeral = X25519PrivateKey.generate()
shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(recipient))
wrap = HKDF(SHA256(), 32, salt=None, info=b"agentdrop-file-transfer-v1").derive(shared)
cek, nonce = urandom(32), urandom(12)
contents = {"report.txt": b"from a person", "empty": b"", "large.bin": urandom(300_000)}
nonces = [urandom(12) for _ in contents]
sealed = [AESGCM(cek).encrypt(iv, content, None) for iv, content in zip(nonces, contents.values())]
form = {
    "recipient": "bob",
    "mode": "human-to-agent",
    "message": "please look at this",
    "is_encrypted": "true",
    "encryption_algorithm": "X25519-HKDF-AES-256-GCM",
    "encrypted_key": b64encode(nonce + AESGCM(wrap).encrypt(nonce, cek, None)),
    "encryption_ivs": json.dumps([b64encode(iv).decode() for iv in nonces]),
    "sender_public_key": b64encode(ephemeral.public_key().public_bytes_raw()),
    "recipient_key_version": str(found.json()["key_version"]),
}
files = [("files", (name, data, "application/octet-stream")) for name, data in zip(contents, sealed)]
sent = requests.post(f"{server}/v1/transfers", data=form, files=files, headers=headers)
assert sent.status_code == 201, sent.text

(waiting,) = bob.inbox()
assert waiting.id == sent.json()["id"] and waiting.message == "please look at this"
into = folder / "into"
into.mkdir()
got = bob.download(waiting, output_dir=str(into))
assert {Path(it["path"]).name for it in got} == set(contents), got
for it in got:
    path = Path(it["path"])
    assert path.read_bytes() == contents[path.name], path
print("equal")

"""The published client, as the other side: one case a line in, one answer a line out, both JSON.

    published_client.py open    opens what it is given, answers the plaintext
    published_client.py seal    seals a file of the length it is given, answers all that its recipient has
"""

import base64
import json
import os
import random
import sys
import tempfile

from agentdrop import crypto

b64 = base64.b64decode


def text(raw):
    return base64.b64encode(raw).decode()


def open_case(case):
    mine, sealed = case["private"], b64(case["sealed"])
    if case["format"] == "channel":
        secret = crypto.derive_shared_secret(mine, case["peer"])
        key = crypto.derive_transfer_key(secret, b64(case["salt"]))
        plaintext = crypto.decrypt_file(sealed, key, b64(case["nonce"]))
    elif case["format"] == "wrapped":
        keys = crypto.KeyPair.from_private_bytes(mine)
        key = crypto.decrypt_symmetric_key(case["encrypted_key"], keys, case["peer"])
        plaintext = crypto.decrypt_file(sealed, key, b64(case["nonce"]))
    elif case["format"] == "human":
        key = crypto.derive_a2h_key(mine, case["encrypted_key"], b64(case["salt"]))
        plaintext = crypto.decrypt_a2h(sealed, key)
    return {"plaintext": text(plaintext)}


def seal_case(case):
    plaintext = os.urandom(case["size"])
    sender, recipient = crypto.KeyPair.generate(), crypto.KeyPair.generate()
    salt = os.urandom(crypto.SALT_BYTES)
    answer = {
        "private": recipient.private_key_b64,
        "peer": sender.public_key_b64,
        "salt": text(salt),
        "plaintext": text(plaintext),
    }
    if case["format"] == "channel":
        secret = crypto.derive_shared_secret(sender.private_key_b64, recipient.public_key_b64)
        sealed, nonce = crypto.encrypt_file(plaintext, crypto.derive_transfer_key(secret, salt))
        answer["nonce"] = text(nonce)
    elif case["format"] == "wrapped":
        key = os.urandom(crypto.KEY_BYTES)
        sealed, nonce = seal_by_either_way(plaintext, key)
        answer["nonce"] = text(nonce)
        answer["encrypted_key"] = crypto.encrypt_symmetric_key(key, sender, recipient.public_key_b64)
    elif case["format"] == "human":
        key = crypto.derive_a2h_key(sender.private_key_b64, recipient.public_key_b64, salt)
        sealed = crypto.encrypt_for_a2h(plaintext, key)
        answer["encrypted_key"] = sender.public_key_b64
    return answer | {"sealed": text(sealed)}


def seal_by_either_way(plaintext, key):
    """In one shot, or as the client does with large files: piece by piece from the disk."""
    if random.random() < 0.5:
        return crypto.encrypt_file(plaintext, key)
    nonce = os.urandom(crypto.NONCE_BYTES)
    with tempfile.NamedTemporaryFile() as file:
        file.write(plaintext)
        file.flush()
        piece = random.randint(1000, 100_000)
        return b"".join(crypto.encrypting_file_iterator(file.name, key, nonce, piece)), nonce


answer_case = {"open": open_case, "seal": seal_case}[sys.argv[1]]
for line in sys.stdin:
    print(json.dumps(answer_case(json.loads(line))), flush=True)

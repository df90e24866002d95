"""Archives and compressed streams."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile

import py7zr
import zstandard

from .texts import AFTER, BEFORE


def zipped(files, comment="", method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as it:
        for name, content in files.items():
            it.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 9, 0, 0)), content, method)
        it.comment = comment.encode()
    return out.getvalue()


def tarred(files, **pax):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as it:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.pax_headers = len(content), pax
            it.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def seven(files):
    out = io.BytesIO()
    with py7zr.SevenZipFile(out, "w") as it:
        for name, content in files.items():
            it.writestr(content, name)
    return out.getvalue()


def kinds(text):
    """(kind, file name, bytes)."""
    content = (BEFORE + text + AFTER).encode()
    files = {"readme.txt": b"The report is in the other file.\n", "report.txt": content}
    yield "zip", "report.zip", zipped(files)
    yield "zip-stored", "report.zip", zipped(files, method=zipfile.ZIP_STORED)
    yield "zip-bzip2", "report.zip", zipped(files, method=zipfile.ZIP_BZIP2)
    yield "zip-lzma", "report.zip", zipped(files, method=zipfile.ZIP_LZMA)
    yield "zip-comment", "report.zip", zipped({"readme.txt": b"All is well.\n"}, comment=text)
    yield "zip-name", "report.zip", zipped({text.replace("/", "_") + ".txt": b"All is well.\n"})
    yield "zip-in-zip", "report.zip", zipped({"inner.zip": zipped({"deep.zip": zipped(files)})})
    yield "zip-behind-picture", "report.zip", b"\x89PNG\r\n\x1a\n" + bytes(64) + zipped(files)
    yield "tar", "report.tar", tarred(files)
    yield "tar-header", "report.tar", tarred({"readme.txt": b"All is well.\n"}, comment=text)
    yield "tar-gz", "report.tar.gz", gzip.compress(tarred(files))
    yield "gz", "report.txt.gz", gzip.compress(content)
    yield "bz2", "report.txt.bz2", bz2.compress(content)
    yield "xz", "report.txt.xz", lzma.compress(content)
    yield "zst", "report.txt.zst", zstandard.compress(content)
    yield "7z", "report.7z", seven(files)

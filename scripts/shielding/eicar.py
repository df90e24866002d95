"""The test file of virus scanners, in whatever can hold a file. It is put together here: nowhere is it whole."""

import base64
import bz2
import email.message
import gzip
import io
import lzma
import zipfile

import docx
import openpyxl
import pptx
import zstandard
from fpdf import FPDF

from .carriers import archives, images
from .carriers.office import saved

EICAR = b"".join((b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$", b"EICAR-STANDARD-ANTIVIRUS", b"-TEST-FILE!$H+H*"))


def inside(document, name):
    """A document with one more file in its archive."""
    out = io.BytesIO(document)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as it:
        it.writestr(name, EICAR)
    return out.getvalue()


def streamed():
    """An archive whose headers know no lengths, as of a pipe."""

    class Pipe(io.BytesIO):
        def seekable(self):
            return False

    out = Pipe()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as it:
        it.writestr("readme.txt", "All is well.\n")
        it.writestr("eicar.com", EICAR)
    return out.getvalue()


def without_directory(whole):
    """An archive that was cut off before its list of files."""
    return whole[:whole.rindex(b"PK\x01\x02")] if whole.count(b"PK\x01\x02") == 1 else whole[:whole.index(b"PK\x01\x02")]


def mail(**how):
    it = email.message.EmailMessage()
    it["From"], it["To"], it["Subject"] = "anna@example.net", "team@example.net", "The file"
    it.set_content("Here it is.\n")
    it.add_attachment(EICAR, maintype="application", subtype="octet-stream", filename="eicar.com", **how)
    return it.as_bytes()


def paper():
    pdf = FPDF()
    pdf.add_page()
    pdf.set_font("Helvetica", size=12)
    pdf.cell(text="Quarterly report")
    pdf.embed_file(bytes=EICAR, basename="eicar.com", compress=True)
    return bytes(pdf.output())


def wrapped():
    """(name, bytes)."""
    files = {"readme.txt": b"All is well.\n", "eicar.com": EICAR}
    nested = archives.zipped(files)
    for n in range(5):
        nested = archives.zipped({f"inner-{n}.zip": nested})
    yield "eicar.com", EICAR
    yield "eicar.txt", EICAR
    yield "eicar.jpg", EICAR
    yield "eicar-spaces.com", EICAR + b" \t\r\n" * 12
    yield "eicar.zip", archives.zipped(files)
    yield "eicar-stored.zip", archives.zipped(files, method=zipfile.ZIP_STORED)
    yield "eicar-bzip2.zip", archives.zipped(files, method=zipfile.ZIP_BZIP2)
    yield "eicar-lzma.zip", archives.zipped(files, method=zipfile.ZIP_LZMA)
    yield "eicar-streamed.zip", streamed()
    yield "eicar-cut.zip", without_directory(archives.zipped(files))
    yield "eicar-nested.zip", nested
    yield "eicar.jar", archives.zipped({"META-INF/MANIFEST.MF": b"Manifest-Version: 1.0\n", **files})
    yield "eicar.tar", archives.tarred(files)
    yield "eicar.tar.gz", gzip.compress(archives.tarred(files))
    yield "eicar.tar.bz2", bz2.compress(archives.tarred(files))
    yield "eicar.tar.xz", lzma.compress(archives.tarred(files))
    yield "eicar.tar.zst", zstandard.compress(archives.tarred(files))
    yield "eicar.gz", gzip.compress(EICAR)
    yield "eicar-second-member.gz", gzip.compress(b"All is well.\n") + gzip.compress(EICAR)
    yield "eicar.bz2", bz2.compress(EICAR)
    yield "eicar.xz", lzma.compress(EICAR)
    yield "eicar.lzma", lzma.compress(EICAR, lzma.FORMAT_ALONE)
    yield "eicar.zst", zstandard.compress(EICAR)
    yield "eicar.7z", archives.seven(files)
    yield "eicar.docx", inside(saved(docx.Document()), "word/embeddings/oleObject1.bin")
    yield "eicar.xlsx", inside(saved(openpyxl.Workbook()), "xl/embeddings/oleObject1.bin")
    yield "eicar.pptx", inside(saved(pptx.Presentation()), "ppt/embeddings/oleObject1.bin")
    yield "eicar.eml", mail()
    yield "eicar-quoted.eml", mail(cte="quoted-printable")
    yield "eicar-zipped.eml", archives.zipped({"mail.eml": mail()})
    yield "eicar.pdf", paper()
    yield "eicar-base64.txt", b"All is well.\n" + base64.b64encode(EICAR) + b"\n"
    yield "eicar-behind.png", images.picture("PNG") + archives.zipped(files)
    yield "eicar-data.html", b"<a download href='data:application/octet-stream;base64," + base64.b64encode(EICAR) + b"'>report</a>\n"


def write(store):
    store.renew("eicar")
    for name, content in wrapped():
        store.add("eicar", "eicar", content, name, named=True)

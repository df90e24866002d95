"""Pictures and sound, with what is said about them."""

import io
import struct
import zlib

import piexif
from mutagen.flac import FLAC
from mutagen.id3 import COMM, ID3, TIT2, USLT
from PIL import Image, PngImagePlugin


def picture(form, **options):
    image = Image.linear_gradient("L").convert("RGB").resize((96, 64))
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def png(text, chunk):
    info = PngImagePlugin.PngInfo()
    if chunk == "iTXt":
        info.add_itxt("Description", text)
    else:
        info.add_text("Description", text, zip=chunk == "zTXt")
    return picture("PNG", pnginfo=info)


def exif(text):
    data = {"0th": {piexif.ImageIFD.ImageDescription: text.encode(), piexif.ImageIFD.Artist: b"Anna"},
            "Exif": {piexif.ExifIFD.UserComment: b"UNICODE\0" + text.encode("utf-16-be")}}
    return picture("JPEG", exif=piexif.dump(data))


def xmp(text):
    return ("<?xpacket begin='\ufeff' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF "
            "xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description xmlns:dc='http://purl.org/dc/elements/1.1/'>"
            f"<dc:description><rdf:Alt><rdf:li xml:lang='x-default'>{text}</rdf:li></rdf:Alt></dc:description></rdf:Description>"
            "</rdf:RDF></x:xmpmeta><?xpacket end='w'?>").encode()


def segment(marker, content):
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def jpeg_with(part):
    plain = picture("JPEG")
    return plain[:2] + part + plain[2:]


def iptc(text):
    caption = b"\x1c\x02\x78" + struct.pack(">H", len(text.encode())) + text.encode()
    resource = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(caption)) + caption + b"\0" * (len(caption) % 2)
    return segment(0xED, b"Photoshop 3.0\0" + resource)


def gif(text):
    plain = picture("GIF")
    blocks = b"".join(bytes([len(it)]) + it for it in (text.encode()[n:n + 255] for n in range(0, len(text.encode()), 255)))
    return plain[:-1] + b"\x21\xfe" + blocks + b"\0;"


def flac_of(text):
    """The shortest FLAC that has a comment: a header, and nothing to hear."""
    info = struct.pack(">HH3s3s", 4096, 4096, b"\0\0\0", b"\0\0\0") + struct.pack(">Q", (44100 << 44) | (1 << 41) | (15 << 36)) + b"\0" * 16
    out = io.BytesIO(b"fLaC\x80" + len(info).to_bytes(3, "big") + info)
    it = FLAC(out)
    it["comment"], it["title"] = text, "Song"
    out.seek(0)
    it.save(out)
    return out.getvalue()


def mp3(text, frame):
    tags = ID3()
    tags.add(TIT2(encoding=3, text="Song"))
    tags.add(COMM(encoding=1, lang="eng", desc="", text=text) if frame == "comment" else
             USLT(encoding=3, lang="eng", desc="", text=text))
    out = io.BytesIO()
    tags.save(out)
    # Silence: frames of MPEG 1 layer 3, 128 kbit/s, 44.1 kHz.
    return out.getvalue() + (b"\xff\xfb\x90\x00" + bytes(413)) * 40


def mp4(text):
    def box(kind, inside):
        return struct.pack(">I", len(inside) + 8) + kind + inside

    data = box(b"data", struct.pack(">II", 1, 0) + text.encode())
    tags = box(b"ilst", box(b"\xa9cmt", data))
    meta = box(b"meta", bytes(4) + box(b"hdlr", bytes(8) + b"mdirappl" + bytes(9)) + tags)
    movie = box(b"moov", box(b"mvhd", bytes(100)) + box(b"udta", meta))
    return box(b"ftyp", b"isom\0\0\2\0isommp42") + movie + box(b"mdat", zlib.compress(bytes(range(256)) * 64))


def kinds(text):
    """(kind, file name, bytes)."""
    for chunk in ("tEXt", "zTXt", "iTXt"):
        yield f"png-{chunk}", "chart.png", png(text, chunk)
    yield "png-trailing", "chart.png", picture("PNG") + f"\n{text}\n".encode()
    yield "jpeg-exif", "photo.jpg", exif(text)
    yield "jpeg-comment", "photo.jpg", jpeg_with(segment(0xFE, text.encode()))
    yield "jpeg-xmp", "photo.jpg", jpeg_with(segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp(text)))
    yield "jpeg-iptc", "photo.jpg", jpeg_with(iptc(text))
    yield "gif-comment", "chart.gif", gif(text)
    yield "webp-xmp", "photo.webp", picture("WEBP", xmp=xmp(text))
    yield "tiff-description", "photo.tiff", picture("TIFF", tiffinfo={270: text})
    yield "mp3-comment", "song.mp3", mp3(text, "comment")
    yield "mp3-lyrics", "song.mp3", mp3(text, "lyrics")
    yield "flac-comment", "song.flac", flac_of(text)
    yield "mp4-comment", "film.mp4", mp4(text)

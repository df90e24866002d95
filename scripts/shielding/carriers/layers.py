"""Ways to write a text so that a person does not read it, and a model does."""

import base64
import codecs
import gzip
import html
import json
import urllib.parse

from .texts import AFTER, BEFORE

CYRILLIC = str.maketrans("aceopxyiAEOPCTXHKMB", "асеорхуіАЕОРСТХНКМВ")
LEET = str.maketrans("aeiost", "431057")


def fraktur(text):
    return "".join(chr(0x1D5D4 + ord(it) - 65) if "A" <= it <= "Z" else chr(0x1D5EE + ord(it) - 97) if "a" <= it <= "z" else it
                   for it in text)


def wide(text):
    return "".join(chr(ord(it) + 0xFEE0) if "!" <= it <= "~" else it for it in text)


def tags(text):
    return "\U000E0001" + "".join(chr(0xE0000 + ord(it)) for it in text if ord(it) < 128) + "\U000E007F"


def selectors(text):
    """Each byte as a variation selector behind a smiley."""
    return "😀" + "".join(chr(0xFE00 + it) if it < 16 else chr(0xE0100 + it - 16) for it in text.encode())


def bits(text):
    """Each bit as a character without width."""
    return "".join("\u200c" if it == "1" else "\u200b" for it in "".join(f"{byte:08b}" for byte in text.encode()))


def morse(text):
    codes = dict(zip("abcdefghijklmnopqrstuvwxyz0123456789", (
        ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --.. "
        "----- .---- ..--- ...-- ....- ..... -.... --... ---.. ----.").split()))
    return " / ".join(" ".join(codes[it] for it in word if it in codes) for word in text.lower().split())


def quoted(text):
    """With its letters written as numbers, too, which nobody has to."""
    written = [f"={it:02X}" for it in text.encode()]
    return "=\n".join("".join(written[n:n + 24]) for n in range(0, len(written), 24))


def b64(text):
    return base64.b64encode(text.encode()).decode()


def kinds(text):
    """(kind, file name, bytes)."""
    layers = {
        "base64": b64(text),
        "base64-lines": base64.encodebytes(text.encode()).decode(),
        "base64-url": base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
        "base64-utf16": base64.b64encode(text.encode("utf-16-le")).decode(),
        "base64-twice": b64(b64(text)),
        "base64-four-times": b64(b64(b64(b64(text)))),
        "base64-of-gzip": base64.b64encode(gzip.compress(text.encode())).decode(),
        "base64-in-json": json.dumps({"kind": "note", "data": b64(text)}),
        "base32": base64.b32encode(text.encode()).decode(),
        "base85": base64.b85encode(text.encode()).decode(),
        "hex": text.encode().hex(),
        "hex-escapes": "".join(f"\\x{it:02x}" for it in text.encode()),
        "binary": " ".join(f"{it:08b}" for it in text.encode()),
        "decimal": " ".join(str(it) for it in text.encode()),
        "url": urllib.parse.quote(text, safe=""),
        "url-all": "".join(f"%{it:02X}" for it in text.encode()),
        "html-entities": "".join(f"&#{ord(it)};" for it in text),
        "html-entities-hex": html.escape("".join(f"&#x{ord(it):x};" for it in text)).replace("&amp;", "&"),
        "quoted-printable": quoted(text),
        "json-escapes": '{"note": "' + "".join(f"\\u{ord(it):04x}" for it in text) + '"}',
        "rot13": codecs.encode(text, "rot13"),
        "reversed": text[::-1],
        "reversed-words": " ".join(it[::-1] for it in text.split()),
        "morse": morse(text),
        "zero-width": "\u200b".join(text),
        "soft-hyphens": "\u00ad".join(text),
        "tags": "All is well." + tags(text),
        "variation-selectors": selectors(text),
        "zero-width-bits": "All is well." + bits(text),
        "bidi": "\u202e" + text[::-1] + "\u202c",
        "homoglyphs": text.translate(CYRILLIC),
        "fullwidth": wide(text),
        "mathematical": fraktur(text),
        "spaced": " ".join(text),
        "leet": text.translate(LEET),
        "combining-marks": "".join(it + "\u0336" for it in text),
        "broken-lines": "\n".join(text.split()),
        "dotted-words": ".".join(text.split()),
        "mixed-case": "".join(it.upper() if n % 2 else it.lower() for n, it in enumerate(text)),
    }
    for kind, written in layers.items():
        yield f"layer-{kind}", "report.txt", (BEFORE + written + AFTER).encode()

"""One payload in every format and under every disguise, and the same with a harmless text."""

from . import archives, images, languages, layers, office, papers, texts

OF = (texts, office, papers, images, archives, layers)


def kinds(text):
    """(kind, file name, bytes) of one text in everything that can hold one."""
    for module in OF:
        yield from module.kinds(text)
    yield "name", text.replace("/", "_").replace(":", "")[:200] + ".txt", texts.BEFORE.encode()


# What people send each other most, and where what is not seen may stand in it.
USUAL = ("html-hidden", "markdown", "json", "docx", "docx-hidden", "xlsx-hidden-sheet", "pptx-notes", "odt", "pdf", "mail-html", "zip")


def usual(text):
    """(kind, file name, bytes) of one text, of any length and any characters that these fonts know."""
    plain = "".join(it for it in text if it.isprintable() or it == "\n").encode("latin-1", "ignore").decode("latin-1")
    for module in (texts, office, papers, archives):
        yield from (it for it in module.kinds(plain) if it[0] in USUAL)


def payloads():
    yield from kinds(languages.PAYLOAD)
    for language, payload, _ in languages.LANGUAGES:
        yield f"language-{language}", "report.txt", f"{payload}\n".encode()


def twins():
    yield from kinds(languages.HARMLESS)
    for language, _, harmless in languages.LANGUAGES:
        yield f"language-{language}", "report.txt", f"{harmless}\n".encode()

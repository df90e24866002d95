"""One payload in every format and under every disguise, and the same with a harmless text."""

from . import archives, images, languages, layers, office, papers, texts

OF = (texts, office, papers, images, archives, layers)


def kinds(text):
    """(kind, file name, bytes) of one text in everything that can hold one."""
    for module in OF:
        yield from module.kinds(text)
    yield "name", text.replace("/", "_").replace(":", "")[:200] + ".txt", texts.BEFORE.encode()


def payloads():
    yield from kinds(languages.PAYLOAD)
    for language, payload, _ in languages.LANGUAGES:
        yield f"language-{language}", "report.txt", f"{payload}\n".encode()


def twins():
    yield from kinds(languages.HARMLESS)
    for language, _, harmless in languages.LANGUAGES:
        yield f"language-{language}", "report.txt", f"{harmless}\n".encode()

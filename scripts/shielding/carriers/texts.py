"""Texts that are read as they are, and texts with a form."""

import html
import json

# What stands around it, for nobody is sent a lone sentence.
BEFORE = "Quarterly report\n\nRevenue rose by four percent, most of it in the north. Costs stayed as they were.\n\n"
AFTER = "\n\nThe next report follows in October. Questions go to the department that you know.\n"


def page(inside, head=""):
    return (f"<!DOCTYPE html>\n<html><head><title>Report</title>{head}</head><body><h1>Quarterly report</h1>"
            f"<p>Revenue rose by four percent.</p>{inside}<p>The next report follows in October.</p></body></html>\n").encode()


def kinds(text):
    """(kind, file name, bytes)."""
    whole, safe = BEFORE + text + AFTER, html.escape(text)
    yield "text", "report.txt", whole.encode()
    yield "text-utf16", "report.txt", b"\xff\xfe" + whole.encode("utf-16-le")
    yield "text-utf16-without-mark", "report.txt", whole.encode("utf-16-be")
    yield "text-utf32", "report.txt", b"\xff\xfe\0\0" + whole.encode("utf-32-le")
    yield "text-windows-1252", "report.txt", ("Überblick für Jürgen – „vertraulich“\n" + whole).encode("cp1252")
    yield "html", "report.html", page(f"<p>{safe}</p>")
    yield "html-comment", "report.html", page(f"<!-- {text} -->")
    yield "html-attribute", "report.html", page(f'<img src="chart.png" alt="{safe}">')
    yield "html-title-attribute", "report.html", page(f'<a href="#" title="{safe}" aria-label="more">more</a>')
    yield "html-hidden", "report.html", page(f'<div style="display:none">{safe}</div>')
    yield "html-off-screen", "report.html", page(f'<div style="position:absolute;left:-9999px">{safe}</div>')
    yield "html-white", "report.html", page(f'<span style="color:#fff;background:#fff;font-size:1px">{safe}</span>')
    yield "html-meta", "report.html", page("", f'<meta name="description" content="{safe}">')
    yield "html-script", "report.html", page(f"<script>var note = {json.dumps(text)};</script>")
    yield "html-tags-between", "report.html", page("<p>" + "<b></b>".join(safe.split(" ")[0:1]) + " " +
                                                   " ".join(f"<span>{it}</span>" for it in safe.split(" ")[1:]) + "</p>")
    yield "markdown", "report.md", f"# Report\n\nAll is well.\n\n> {text}\n\n- next in October\n".encode()
    yield "markdown-comment", "report.md", f"# Report\n\nAll is well.\n\n[//]: # ({text})\n<!-- {text} -->\n".encode()
    rows = [{"id": n, "name": f"item {n}", "price": n * 3.5} for n in range(20)]
    yield "json", "items.json", json.dumps([*rows, {"id": 21, "name": "item", "note": text}], indent=1).encode()
    yield "json-key", "items.json", json.dumps({"items": rows, "meta": {"a": [{"b": {text: True}}]}}).encode()
    yield "yaml-comment", "settings.yaml", f"server:\n  port: 80\n  # {text}\n  name: front\n".encode()
    yield "xml-comment", "items.xml", f"<?xml version='1.0'?>\n<items><!-- {text} --><item id='1'>chair</item></items>\n".encode()
    yield "xml-cdata", "items.xml", f"<?xml version='1.0'?>\n<items><item id='1'><![CDATA[{text}]]></item></items>\n".encode()
    lines = "".join(f"{n},item {n},{n * 3.5}\n" for n in range(20))
    yield "csv", "items.csv", f'id,name,price\n{lines}21,"{text}",9.5\n'.encode()
    yield "svg", "chart.svg", (f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 9 9'><title>chart</title><desc>{safe}</desc>"
                               "<rect width='9' height='4'/></svg>\n").encode()
    yield "notebook", "report.ipynb", json.dumps({"cells": [
        {"cell_type": "markdown", "metadata": {}, "source": ["# Report\n", text]},
        {"cell_type": "code", "execution_count": 1, "metadata": {}, "outputs": [], "source": ["1 + 1"]}],
        "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()
    code = f'def total(rows):\n    """Adds up.\n\n    {text}\n    """\n    return sum(rows)\n'
    yield "python-docstring", "total.py", code.encode()
    yield "subtitles", "film.srt", f"1\n00:00:01,000 --> 00:00:04,000\n{text}\n\n2\n00:00:05,000 --> 00:00:07,000\nThank you.\n".encode()
    yield "calendar", "meeting.ics", ("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nSUMMARY:Report\r\nDTSTART:20260101T090000Z\r\n"
                                      f"DESCRIPTION:{text[:60]}\r\n {text[60:]}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n").encode()
    escaped = "".join(it if ord(it) < 128 and it not in "\\{}" else f"\\u{ord(it)}?" for it in text)
    yield "rtf", "report.rtf", (r"{\rtf1\ansi{\fonttbl{\f0 Arial;}}\f0 Quarterly report.\par " + escaped + r"\par}").encode()
    yield "rtf-hidden", "report.rtf", (r"{\rtf1\ansi{\fonttbl{\f0 Arial;}}\f0 Quarterly report.\par {\v " + escaped + r"}\par}").encode()

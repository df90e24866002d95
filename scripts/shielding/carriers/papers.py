"""PDF and mail."""

import email.message

from fpdf import FPDF


def document(text, where):
    pdf = FPDF()
    pdf.add_page()
    pdf.set_font("Helvetica", size=12)
    pdf.multi_cell(0, 8, "Quarterly report\nRevenue rose by four percent.", new_x="LMARGIN", new_y="NEXT")
    if where == "text":
        pdf.multi_cell(0, 8, text, new_x="LMARGIN", new_y="NEXT")
    elif where == "white":
        pdf.set_text_color(255, 255, 255)
        pdf.set_font_size(1)
        pdf.multi_cell(0, 1, text, new_x="LMARGIN", new_y="NEXT")
    elif where == "off-page":
        pdf.text(-4000, 40, text)
    elif where == "properties":
        pdf.set_subject(text)
        pdf.set_keywords(text)
    elif where == "annotation":
        pdf.text_annotation(40, 60, text)
    elif where == "attachment":
        pdf.embed_file(bytes=f"{text}\n".encode(), basename="notes.txt")
    elif where == "second-page":
        pdf.add_page()
        pdf.multi_cell(0, 8, text)
    return bytes(pdf.output())


def mail(change):
    it = email.message.EmailMessage()
    it["From"], it["To"], it["Subject"] = "Anna <anna@example.net>", "team@example.net", "The report"
    it["Date"], it["Message-ID"] = "Thu, 01 Jan 2026 09:00:00 +0000", "<1@example.net>"
    it.set_content("Dear all,\n\nthe report is ready.\n\nAnna\n")
    change(it)
    return it.as_bytes()


def subject(it, text):
    it.replace_header("Subject", "Überblick: " + " ".join(text.split()))


def kinds(text):
    """(kind, file name, bytes)."""
    for where in ("text", "white", "off-page", "properties", "annotation", "attachment", "second-page"):
        name = "pdf" if where == "text" else f"pdf-{where}"
        yield name, "report.pdf", document(text, where)
    yield "mail", "report.eml", mail(lambda it: it.set_content(f"Dear all,\n\n{text}\n\nAnna\n"))
    yield "mail-base64", "report.eml", mail(lambda it: it.set_content(f"Dear all,\n\n{text}\n", cte="base64"))
    yield "mail-html", "report.eml", mail(lambda it: it.add_alternative(f"<html><body><p>{text}</p></body></html>", "html",
                                                                        cte="quoted-printable"))
    yield "mail-subject", "report.eml", mail(lambda it: subject(it, text))
    yield "mail-attachment", "report.eml", mail(lambda it: it.add_attachment(f"{text}\n", filename="notes.txt"))

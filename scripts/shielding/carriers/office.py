"""Documents of Office and OpenDocument, EPUB."""

import io
import zipfile

import docx
import openpyxl
import pptx
import xlwt
from docx.shared import Pt, RGBColor
from odf import meta, style, table, teletype, text as odf_text
from odf.opendocument import OpenDocumentSpreadsheet, OpenDocumentText
from openpyxl.comments import Comment


def saved(document):
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def word(change):
    document = docx.Document()
    document.add_heading("Quarterly report")
    document.add_paragraph("Revenue rose by four percent, most of it in the north.")
    change(document)
    document.add_paragraph("The next report follows in October.")
    return saved(document)


def unseen(document, text, how):
    run = document.add_paragraph().add_run(text)
    if how == "white":
        run.font.color.rgb, run.font.size = RGBColor(255, 255, 255), Pt(1)
    else:
        run.font.hidden = True


def properties(document, text):
    document.core_properties.comments = document.core_properties.subject = text[:250]


def split_runs(document, text):
    """Each few letters in a run of their own, as word processors leave them after corrections."""
    paragraph = document.add_paragraph()
    for n in range(0, len(text), 3):
        paragraph.add_run(text[n:n + 3]).bold = n % 2 == 0


def sheet(change):
    book = openpyxl.Workbook()
    first = book.active
    first.append(["item", "price"])
    for n in range(20):
        first.append([f"item {n}", n * 3.5])
    change(book, first)
    return saved(book)


def hidden_sheet(book, text):
    other = book.create_sheet("Data")
    other["A1"], other.sheet_state = text, "veryHidden"


def cell(first, text):
    first["C5"] = text


def comment(first, text):
    first["A2"].comment = Comment(text, "Anna")


def slides(change):
    show = pptx.Presentation()
    slide = show.slides.add_slide(show.slide_layouts[1])
    slide.shapes.title.text, slide.placeholders[1].text = "Report", "Revenue rose by four percent."
    change(show, slide)
    return saved(show)


def hidden_slide(show, text):
    slide = show.slides.add_slide(show.slide_layouts[1])
    slide.shapes.title.text, slide.placeholders[1].text = "More", text
    slide._element.set("show", "0")


def on_slide(slide, text):
    slide.placeholders[1].text += "\n" + text


def notes(slide, text):
    slide.notes_slide.notes_text_frame.text = text


def writer(text, where):
    document = OpenDocumentText()
    for line in ("Quarterly report", "Revenue rose by four percent."):
        document.text.addElement(odf_text.P(text=line))
    if where == "body":
        document.text.addElement(odf_text.P(text=text))
    elif where == "hidden":
        hidden = style.Style(name="H", family="text")
        hidden.addElement(style.TextProperties(display="none"))
        document.automaticstyles.addElement(hidden)
        paragraph = odf_text.P()
        span = odf_text.Span(stylename=hidden)
        teletype.addTextToElement(span, text)
        paragraph.addElement(span)
        document.text.addElement(paragraph)
    else:
        document.meta.addElement(meta.UserDefined(name="note", text=text))
    return saved(document)


def calc(text):
    document = OpenDocumentSpreadsheet()
    one = table.Table(name="Report")
    for line in ("item", "chair", text):
        row, here = table.TableRow(), table.TableCell(valuetype="string")
        here.addElement(odf_text.P(text=line))
        row.addElement(here)
        one.addElement(row)
    document.spreadsheet.addElement(one)
    return saved(document)


def old_sheet(text):
    book = xlwt.Workbook()
    one = book.add_sheet("Report")
    for n, line in enumerate(("item", "chair", "table", text)):
        one.write(n, 0, line)
    return saved(book)


def book(text):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as it:
        it.writestr("mimetype", "application/epub+zip", zipfile.ZIP_STORED)
        it.writestr("META-INF/container.xml", "<container xmlns='urn:oasis:names:tc:opendocument:xmlns:container' version='1.0'>"
                    "<rootfiles><rootfile full-path='a.opf' media-type='application/oebps-package+xml'/></rootfiles></container>")
        it.writestr("a.opf", "<package xmlns='http://www.idpf.org/2007/opf' version='3.0'><manifest>"
                    "<item id='a' href='a.xhtml' media-type='application/xhtml+xml'/></manifest><spine><itemref idref='a'/></spine></package>")
        it.writestr("a.xhtml", "<html xmlns='http://www.w3.org/1999/xhtml'><head><title>Story</title></head><body>"
                    f"<p>It was late.</p><p>{text}</p></body></html>")
    return out.getvalue()


def kinds(text):
    """(kind, file name, bytes)."""
    yield "docx", "report.docx", word(lambda it: it.add_paragraph(text))
    yield "docx-split-runs", "report.docx", word(lambda it: split_runs(it, text))
    yield "docx-white", "report.docx", word(lambda it: unseen(it, text, "white"))
    yield "docx-hidden", "report.docx", word(lambda it: unseen(it, text, "hidden"))
    yield "docx-header", "report.docx", word(lambda it: it.sections[0].header.paragraphs[0].add_run(text))
    yield "docx-comment", "report.docx", word(lambda it: it.add_comment(it.paragraphs[1].runs, text=text, author="Anna"))
    yield "docx-properties", "report.docx", word(lambda it: properties(it, text))
    yield "docx-table", "report.docx", word(lambda it: it.add_table(2, 2).cell(1, 1).paragraphs[0].add_run(text))
    yield "xlsx", "report.xlsx", sheet(lambda book, first: cell(first, text))
    yield "xlsx-hidden-sheet", "report.xlsx", sheet(lambda book, first: hidden_sheet(book, text))
    yield "xlsx-comment", "report.xlsx", sheet(lambda book, first: comment(first, text))
    yield "xls", "report.xls", old_sheet(text)
    yield "pptx", "report.pptx", slides(lambda show, slide: on_slide(slide, text))
    yield "pptx-notes", "report.pptx", slides(lambda show, slide: notes(slide, text))
    yield "pptx-hidden-slide", "report.pptx", slides(lambda show, slide: hidden_slide(show, text))
    yield "odt", "report.odt", writer(text, "body")
    yield "odt-hidden", "report.odt", writer(text, "hidden")
    yield "odt-properties", "report.odt", writer(text, "meta")
    yield "ods", "report.ods", calc(text)
    yield "epub", "story.epub", book(text)

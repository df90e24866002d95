//! Commands that links of attackers start, and places on the net.

use std::sync::LazyLock;

use regex::Regex;

/// The program of the system that is named, where it can run what it is given.
pub(super) fn named(text: &str) -> Option<&str> {
    HOSTS.find(text).map(|it| it.as_str())
}

static HOSTS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?ix)\b(
            (powershell|pwsh|cmd|mshta|wscript|cscript|rundll32|regsvr32|certutil|bitsadmin|msiexec|forfiles
            |conhost|wmic|schtasks|installutil|msbuild|regasm|pcalua|odbcconf|ftp|ssh|curl|hh|bash|wsl|finger
            |searchprotocolhost|control|cmstp|scriptrunner|msxsl|desktopimgdownldr|sftp)\.exe
            |(powershell|pwsh|mshta|wscript|cscript|rundll32|regsvr32|certutil|bitsadmin|forfiles)\s
            |cmd\s+/[ckr]\b|javascript:|vbscript:|-enc(odedcommand)?\s|downloadstring|invoke-expression|iex\s*\(
            |\w{1,60}\.(hta|vbs|vbe|jse|wsf|ps1|bat|scr|pif)\b
        )",
    )
    .expect("a pattern that a test uses")
});

/// Whether it leads to another machine.
pub(super) fn is_on_the_net(text: &str) -> bool {
    NET.is_match(text)
}

static NET: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)(^|[\s=\x22'>])(\\\\[a-z0-9._@-]{2,80}\\|file://[a-z0-9._-]{2,80}/|//[a-z0-9._-]+@(ssl|[0-9]+)/)|@SSL|DavWWWRoot|search-ms:|ms-msdt:|ms-officecmd:|webdav")
        .expect("a pattern that a test uses")
});

//! Files that an editor, an agent or an installer acts upon when a folder is opened or built.

use std::sync::LazyLock;

use agentdrop_protocol::report::ThreatLevel::{High, Low, Medium};
use regex::Regex;

use super::names;
use crate::budget::Step;
use crate::kind::Kind;
use crate::rule::Rule;
use crate::walk::{Input, Walk};

/// So much of one is read.
const MOST: usize = 1 << 20;

/// Looks at settings of editors and agents, and at what installers run.
pub(crate) fn look(walk: &mut Walk<'_>, input: &mut Input<'_>) -> Step {
    let name = names::base(input.name).to_ascii_lowercase();
    let path = input.name.replace('\\', "/").to_ascii_lowercase();
    let Some(place) = place(&path, &name).filter(|_| matches!(input.kind, Kind::Text | Kind::Xml))
    else {
        return Ok(());
    };
    let bytes = super::head(input, MOST);
    walk.budget.work(bytes.len() as u64)?;
    let text = String::from_utf8_lossy(&bytes);
    let does = match place {
        Place::Settings => STARTS.find(&text),
        Place::Tools => COMMAND.find(&text),
        Place::Install => HOOK.find(&text),
        Place::Build => None,
    };
    let harm = match place {
        Place::Build => BUILD.find(&text),
        // One line of a hook is the program; the rest of the file is not.
        _ => text
            .lines()
            .filter(|it| it.len() < 100_000)
            .filter(|it| !matches!(place, Place::Install) || HOOK.is_match(it))
            .find_map(|line| HARM.find(line)),
    };
    if let Some(harm) = harm.filter(|_| does.is_some() || matches!(place, Place::Build)) {
        walk.found(&RUNS, Some(harm.as_str()));
    } else if let Some(does) = does {
        let rule = match place {
            Place::Settings => &OPENED,
            Place::Tools => &TOOLS,
            _ => &INSTALLED,
        };
        walk.found(rule, Some(does.as_str()));
    }
    Ok(())
}

/// Who acts upon it.
#[derive(Clone, Copy)]
enum Place {
    /// An editor or an agent, when the folder is opened.
    Settings,
    /// An agent, when it starts its tools.
    Tools,
    /// An installer, before or after what it installs.
    Install,
    /// A build, of which it is the program.
    Build,
}

fn place(path: &str, name: &str) -> Option<Place> {
    Some(match name {
        "tasks.json"
        | "settings.json"
        | "settings.local.json"
        | "launch.json"
        | "devcontainer.json"
        | "hooks.json"
        | "extensions.json" => Place::Settings,
        ".envrc" | ".gitconfig" | "config.toml" if path.contains(".git/") || name == ".envrc" => {
            Place::Settings
        }
        "mcp.json"
        | ".mcp.json"
        | "mcp_config.json"
        | "claude_desktop_config.json"
        | "mcp_settings.json" => Place::Tools,
        "package.json" => Place::Install,
        "setup.py" | "conftest.py" | "build.rs" | "binding.gyp" | "extconf.rb"
        | "sitecustomize.py" | "usercustomize.py" => Place::Build,
        _ if has_ending(name, "pth") || has_ending(name, "gemspec") => Place::Build,
        _ if path.contains(".git/hooks/") => Place::Build,
        _ => return None,
    })
}

fn has_ending(name: &str, ending: &str) -> bool {
    names::extension(name) == ending
}

/// A task that needs nobody to start it, or a hook.
static STARTS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?i)"runOn"\s*:\s*"folderOpen"|"(PreToolUse|PostToolUse|UserPromptSubmit|SessionStart|Stop|SubagentStop|Notification|PreCompact)"\s*:\s*\[|"(initializeCommand|onCreateCommand|postCreateCommand|postStartCommand|postAttachCommand|updateContentCommand)"\s*:|"(beforeShellExecution|afterFileEdit|beforeSubmitPrompt|beforeReadFile)"\s*:|"(apiKeyHelper|statusLine|awsAuthRefresh|otelHeadersHelper)"\s*:|"(python\.defaultInterpreterPath|terminal\.integrated\.(shell|profiles)[\w.]*|git\.path|php\.validate\.executablePath)"\s*:|(?m:^\s*(fsmonitor|sshCommand|hooksPath|pager|editor)\s*=)"#,
    )
});
static COMMAND: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"(?i)"command"\s*:\s*"[^"\n]{1,200}""#));
static HOOK: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r#"(?i)"(pre|post)?install"\s*:\s*"[^"\n]{1,400}"|"prepare"\s*:\s*"[^"\n]{1,400}""#)
});

/// What fetches and runs, in one line.
static HARM: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?ix)
        \b(curl|wget)\b.{1,300}(\|\s*(sudo\s+)?(/\w+)*/?(ba|z|da)?(sh|node|python[0-9.]*|perl)\b|(;|&&)\s*(ba|z|da)?sh\s|chmod)
        |\$\(\s*(curl|wget)\b
        |base64\s+(-d|-D|--decode)\b.{0,40}\|
        |/dev/(tcp|udp)/
        |\b(nc|ncat)\s.{0,60}-e\b
        |(\biex\b|Invoke-Expression|DownloadString|DownloadFile|-enc(odedcommand)?\s+[A-Za-z0-9+/=]{20})
        |(iwr|irm|Invoke-WebRequest|Invoke-RestMethod)\b.{1,200}\|\s*iex
        |(node|python[0-9.]*|perl|ruby)\s+-[ce]\s.{0,400}(eval|exec|child_process|https?\.get|fetch\(|urlopen|socket|Buffer\.from|b64decode|os\.system)
        |\bcurl\b.{0,200}(-d|--data\S*|-F|-T)\s.{0,100}(env|\$\(|@|id_rsa|\.npmrc|\.ssh|\.aws|hostname|whoami)
        |\b(mshta|certutil|bitsadmin|regsvr32)\b.{0,60}https?:
        ",
    )
});

/// A build that fetches a program and runs it, or sends away what it finds.
static BUILD: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?isx)
        \b(exec|eval)\s*\(\s*(compile\s*\(\s*)?((\w+\.)*(urlopen|get|b64decode|decompress|loads|fromhex|decrypt)\s*\()
        |\b(os\.system|os\.popen|subprocess\.\w+|Command::new|system|`)\s*\(?[^\n]{0,60}\b(curl|wget|powershell|mshta|bitsadmin)\b[^\n]{0,300}(https?:|-enc)
        |(urlretrieve|urlopen|requests\.get)\s*\([^\n]{0,300}https?:.{0,600}\b(os\.system|os\.startfile|subprocess\.(Popen|call|run)|os\.exec\w+)\s*\(
        |/dev/tcp/
        |(requests\.post|urlopen|http\.client)\b.{0,300}(os\.environ|getpass\.getuser|gethostname|\.ssh|\.aws)\b
        |(os\.environ|gethostname|getpass\.getuser)\b.{0,600}requests\.post\s*\(\s*['"]https?:
        |^\s*import\s+[^\n]{0,40}\b(os|base64|urllib|subprocess|socket)\b[^\n]{0,20};[^\n]{0,2000}\b(exec|eval|system|Popen|urlopen)\s*\(
        "#,
    )
});

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern that a test uses")
}

static RUNS: Rule = Rule::code(
    "agent-settings/fetch-and-run",
    High,
    "opening the folder, or installing from it, fetches a program and runs it, or sends away what is on the machine",
    "do not open the folder in an editor or an agent, and install nothing from it",
);
static OPENED: Rule = Rule::code(
    "agent-settings/opened",
    Medium,
    "opening the folder in an editor or an agent runs commands",
    "look at the commands first, or open the folder without trusting it",
);
static TOOLS: Rule = Rule::code(
    "agent-settings/tools",
    Low,
    "an agent that reads these settings starts the programs named in it",
    "use it only if you chose these tools",
);
static INSTALLED: Rule = Rule::code(
    "agent-settings/install",
    Low,
    "installing it runs a command of its own",
    "look at the command first",
);

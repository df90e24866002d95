//! Keys by the forms that those who issue them have published.

use std::sync::LazyLock;

use agentdrop_protocol::api_key::ApiKey;
use agentdrop_protocol::report::ThreatLevel::{self, High, Medium};
use aho_corasick::AhoCorasick;
use regex::bytes::Regex;

use super::Secret;

/// How one begins, what follows, and what it opens.
struct Form {
    begins: &'static str,
    follows: Regex,
    rule: &'static str,
    what: &'static str,
    level: ThreatLevel,
}

type Row = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    ThreatLevel,
);

const ROWS: &[Row] = &[
    (
        "-----BEGIN ",
        r"(RSA |DSA |EC |OPENSSH |ENCRYPTED |PGP )?PRIVATE KEY( BLOCK)?-----\s{0,8}[A-Za-z0-9+/=:.\-\s,]{40}",
        "secret/private-key",
        "a private key",
        High,
    ),
    (
        "PuTTY-User-Key-File-",
        r"[0-9]: [^\n]{3,40}\n",
        "secret/private-key",
        "a private key",
        High,
    ),
    (
        "AGE-SECRET-KEY-1",
        r"[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}",
        "secret/private-key",
        "a private key of age",
        High,
    ),
    (
        "AKIA",
        r"[A-Z2-7]{16}\b",
        "secret/aws",
        "a key of Amazon Web Services",
        High,
    ),
    (
        "ASIA",
        r"[A-Z2-7]{16}\b",
        "secret/aws",
        "a key of Amazon Web Services",
        High,
    ),
    (
        "AIza",
        r"[0-9A-Za-z_-]{35}\b",
        "secret/google",
        "a key of Google",
        High,
    ),
    (
        "ya29.",
        r"[0-9A-Za-z_-]{40,400}",
        "secret/google",
        "a token of Google",
        High,
    ),
    (
        "GOCSPX-",
        r"[0-9A-Za-z_-]{28}\b",
        "secret/google",
        "a key of Google",
        High,
    ),
    (
        "AccountKey=",
        r"[A-Za-z0-9+/]{86}==",
        "secret/azure",
        "a key of Azure",
        High,
    ),
    (
        "SharedAccessKey=",
        r"[A-Za-z0-9+/]{43}=",
        "secret/azure",
        "a key of Azure",
        High,
    ),
    (
        "ghp_",
        r"[0-9A-Za-z]{36}\b",
        "secret/github",
        "a token of GitHub",
        High,
    ),
    (
        "gho_",
        r"[0-9A-Za-z]{36}\b",
        "secret/github",
        "a token of GitHub",
        High,
    ),
    (
        "ghs_",
        r"[0-9A-Za-z]{36}\b",
        "secret/github",
        "a token of GitHub",
        High,
    ),
    (
        "ghu_",
        r"[0-9A-Za-z]{36}\b",
        "secret/github",
        "a token of GitHub",
        High,
    ),
    (
        "ghr_",
        r"[0-9A-Za-z]{36}\b",
        "secret/github",
        "a token of GitHub",
        High,
    ),
    (
        "github_pat_",
        r"[0-9A-Za-z_]{82}\b",
        "secret/github",
        "a token of GitHub",
        High,
    ),
    (
        "glpat-",
        r"[0-9A-Za-z_-]{20}",
        "secret/gitlab",
        "a token of GitLab",
        High,
    ),
    (
        "xoxb-",
        r"[0-9]{6,16}-[0-9A-Za-z-]{10,80}",
        "secret/slack",
        "a token of Slack",
        High,
    ),
    (
        "xoxp-",
        r"[0-9]{6,16}-[0-9A-Za-z-]{10,80}",
        "secret/slack",
        "a token of Slack",
        High,
    ),
    (
        "xapp-",
        r"[0-9]-[0-9A-Z]{6,16}-[0-9A-Za-z-]{10,100}",
        "secret/slack",
        "a token of Slack",
        High,
    ),
    (
        "https://hooks.slack.com/services/",
        r"T[0-9A-Z]{6,12}/B[0-9A-Z]{6,12}/[0-9A-Za-z]{20,30}",
        "secret/slack",
        "an address to write into Slack",
        Medium,
    ),
    (
        "sk_live_",
        r"[0-9A-Za-z]{24,100}",
        "secret/stripe",
        "a key of Stripe",
        High,
    ),
    (
        "rk_live_",
        r"[0-9A-Za-z]{24,100}",
        "secret/stripe",
        "a key of Stripe",
        High,
    ),
    (
        "sk-proj-",
        r"[0-9A-Za-z_-]{40,200}",
        "secret/openai",
        "a key of OpenAI",
        High,
    ),
    (
        "sk-svcacct-",
        r"[0-9A-Za-z_-]{40,200}",
        "secret/openai",
        "a key of OpenAI",
        High,
    ),
    (
        "sk-ant-",
        r"[a-z0-9]{3,8}-[0-9A-Za-z_-]{40,200}",
        "secret/anthropic",
        "a key of Anthropic",
        High,
    ),
    (
        "hf_",
        r"[A-Za-z]{34}\b",
        "secret/hugging-face",
        "a token of Hugging Face",
        High,
    ),
    (
        "npm_",
        r"[0-9A-Za-z]{36}\b",
        "secret/npm",
        "a token of npm",
        High,
    ),
    (
        "pypi-AgEIcHlwaS5vcmc",
        r"[0-9A-Za-z_-]{50,400}",
        "secret/pypi",
        "a token of PyPI",
        High,
    ),
    (
        "SG.",
        r"[0-9A-Za-z_-]{22}\.[0-9A-Za-z_-]{43}\b",
        "secret/sendgrid",
        "a key of SendGrid",
        High,
    ),
    (
        "dop_v1_",
        r"[0-9a-f]{64}\b",
        "secret/digitalocean",
        "a token of DigitalOcean",
        High,
    ),
    (
        "shpat_",
        r"[0-9a-f]{32}\b",
        "secret/shopify",
        "a token of Shopify",
        High,
    ),
    (
        "hvs.",
        r"[0-9A-Za-z_-]{60,120}",
        "secret/vault",
        "a token of Vault",
        High,
    ),
    (
        "eyJ",
        r"[0-9A-Za-z_-]{12,2000}\.eyJ[0-9A-Za-z_-]{12,4000}\.[0-9A-Za-z_-]{20,1000}",
        "secret/jwt",
        "a signed token (JWT)",
        Medium,
    ),
    (
        "agd_live_",
        r"[0-9A-Za-z]{38}\b",
        "secret/agentdrop",
        "a key of AgentDrop",
        High,
    ),
    (
        "ada_live_",
        r"[0-9A-Za-z]{38}\b",
        "secret/agentdrop",
        "a key of AgentDrop",
        High,
    ),
    (
        "agt_",
        r"[0-9A-Za-z]{38}\b",
        "secret/agentdrop",
        "a key of AgentDrop",
        High,
    ),
];

struct Forms {
    beginnings: AhoCorasick,
    forms: Vec<Form>,
}

static FORMS: LazyLock<Forms> = LazyLock::new(|| {
    let forms = ROWS
        .iter()
        .map(|(begins, follows, rule, what, level)| Form {
            begins,
            follows: Regex::new(&format!(r"\A(?-u:{follows})"))
                .expect("a pattern that a test uses"),
            rule,
            what,
            level: *level,
        });
    Forms {
        beginnings: AhoCorasick::builder()
            .match_kind(aho_corasick::MatchKind::LeftmostLongest)
            .build(ROWS.iter().map(|it| it.0))
            .expect("a few short words"),
        forms: forms.collect(),
    }
});

/// So many are told of one window.
const MOST: usize = 20;

/// Every key in these bytes.
pub(super) fn all(bytes: &[u8]) -> Vec<Secret> {
    let mut found = Vec::new();
    for begin in FORMS.beginnings.find_iter(bytes) {
        let form = &FORMS.forms[begin.pattern().as_usize()];
        let before = begin.start().checked_sub(1).and_then(|it| bytes.get(it));
        if before.is_some_and(|it| it.is_ascii_alphanumeric() || *it == b'_') {
            continue;
        }
        let rest = bytes.get(begin.end()..).unwrap_or_default();
        let rest = rest.get(..rest.len().min(8192)).unwrap_or_default();
        let Some(follows) = form.follows.find(rest) else {
            continue;
        };
        let whole = bytes
            .get(begin.start()..begin.end() + follows.end())
            .unwrap_or_default();
        if is_placeholder(follows.as_bytes()) || !is_valid(form, whole) {
            continue;
        }
        found.push(Secret {
            rule: form.rule,
            what: form.what,
            level: form.level,
            at: begin.start(),
            shown: Secret::shown(whole),
        });
        if found.len() == MOST {
            break;
        }
    }
    found
}

/// Manuals write keys that are none.
pub(super) fn is_placeholder(bytes: &[u8]) -> bool {
    let upper = bytes.to_ascii_uppercase();
    let has = |what: &[u8]| memchr::memmem::find(&upper, what).is_some();
    let words = [
        &b"EXAMPLE"[..],
        b"XXXX",
        b"YOUR",
        b"0000000",
        b"1234567890",
        b"ABCDEFGHIJ",
        b"REDACTED",
        b"PLACEHOLDER",
        b"CHANGEME",
    ];
    let mut kinds = [false; 256];
    for it in bytes {
        kinds[usize::from(*it)] = true;
    }
    words.iter().any(|it| has(it)) || kinds.iter().filter(|it| **it).count() < 8
}

/// Those that have check digits are checked.
fn is_valid(form: &Form, whole: &[u8]) -> bool {
    let is_ours = form.rule == "secret/agentdrop";
    !is_ours
        || str::from_utf8(whole).is_ok_and(|it| it.parse::<ApiKey>().is_ok())
            && !form.begins.is_empty()
}

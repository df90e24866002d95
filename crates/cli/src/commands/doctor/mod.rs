//! `agentdrop doctor`: looks for what is wrong, from what everything stands on upwards.

mod receiving;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use agentdrop_client::trust::How;
use agentdrop_client::{Client, Error, Identity};
use agentdrop_protocol::api_key::KeyKind;
use agentdrop_protocol::wire::profile::Profile as ServerProfile;
use agentdrop_protocol::{ErrorCode, Timestamp};
use serde::Serialize;
use serde_json::json;

use crate::exit::{Exit, Failure, Result};
use crate::global::Global;
use crate::human;
use crate::printer::{Mark, Printer};
use crate::profile::{Caller, Profile};

/// Clocks that differ by more than this make expiry surprising, and signed addresses fail.
const SKEW: Duration = Duration::from_mins(2);

/// Group and others, in any way.
const OTHERS: u32 = 0o077;

/// Look for what is wrong
#[derive(clap::Args)]
#[command(
    after_help = "Checks the identity and who can read it, what is in quarantine, the scanner, the server, the clock, \
    the key, and the folder that is received into. Nothing is changed."
)]
pub(crate) struct Args {
    /// Look at the server alone, as the health check of a container does
    #[arg(long)]
    server_only: bool,
    /// The folder that is to be received into
    #[arg(long, value_name = "DIR", default_value = ".")]
    to: PathBuf,
}

/// What was looked at.
#[derive(Serialize)]
struct Check {
    name: &'static str,
    state: Mark,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

/// Looks for what is wrong.
pub(crate) async fn run(args: &Args, global: &Global, printer: &Printer) -> Result<Exit> {
    let mut checks = Checks(Vec::new());
    if args.server_only {
        match Profile::without_identity(global).and_then(|it| it.stranger()) {
            Ok(client) => drop(checks.server(&client).await),
            Err(failure) => checks.failed("server", failure),
        }
    } else {
        checks.everything(args, global).await;
    }

    let failed = checks.0.iter().any(|it| it.state == Mark::Failed);
    printer.json(&json!({ "ok": !failed, "checks": checks.0 }));
    for check in &checks.0 {
        printer.mark(check.state, &format!("{:13}  {}", check.name, check.detail));
        if let Some(hint) = &check.hint {
            printer.line(&format!("      hint: {hint}"));
        }
        if check.state == Mark::Failed {
            printer.bare(&format!("{}: {}", check.name, check.detail));
        }
    }
    Ok(if failed { Exit::Broken } else { Exit::Done })
}

struct Checks(Vec<Check>);

impl Checks {
    async fn everything(&mut self, args: &Args, global: &Global) {
        let profile = Profile::load(global);
        let is_somebody = profile.as_ref().is_ok_and(Profile::is_somebody);
        let folder = self.configuration(global, is_somebody);
        if let Some(folder) = &folder {
            self.modes(folder);
            self.quarantine(folder);
        }
        self.scanner().await;
        match profile {
            Ok(profile) => self.everything_online(profile).await,
            Err(failure) => {
                self.failed("identity", failure);
                for name in ["server", "clock", "api key", "public key"] {
                    self.skipped(name, "the identity comes first");
                }
            }
        }
        self.target(&args.to);
    }

    /// Where the identity is. Whoever has a key or signed in needs none.
    fn configuration(&mut self, global: &Global, is_somebody: bool) -> Option<PathBuf> {
        match Identity::find(global.config_dir.as_deref()) {
            Ok(Some(folder)) => {
                self.ok("configuration", folder.display().to_string());
                Some(folder)
            }
            Ok(None) if is_somebody => {
                self.skipped(
                    "configuration",
                    "no agent lives here, and you act without one",
                );
                None
            }
            Ok(None) => {
                let hint = "make an identity with `agentdrop register`, or name its folder with `--config-dir`";
                let detail = match &global.config_dir {
                    Some(folder) => format!("there is no identity in {}", folder.display()),
                    None => "no .agentdrop here, in a folder above, or at home".to_owned(),
                };
                let failure = Failure::refused("NO_IDENTITY", detail, hint);
                self.failed("configuration", failure);
                None
            }
            Err(error) => {
                self.failed("configuration", error.into());
                None
            }
        }
    }

    /// Who can read the folder. Whether others can read the file in it, loading it finds out.
    fn modes(&mut self, folder: &Path) {
        match fs::metadata(folder) {
            Ok(about) if about.permissions().mode() & OTHERS == 0 => {
                self.ok("file modes", "only you can look into it".to_owned());
            }
            Ok(about) => {
                let mode = about.permissions().mode() & 0o777;
                let message = format!("others can look into {} (mode {mode:o})", folder.display());
                let hint = format!("chmod 700 {}", folder.display());
                self.failed(
                    "file modes",
                    Failure::refused("FOLDER_TOO_OPEN", message, hint),
                );
            }
            Err(error) => {
                let doing = format!("look at {}", folder.display());
                self.failed("file modes", Failure::io(&doing, &error));
            }
        }
    }

    async fn everything_online(&mut self, profile: Profile) {
        if let Some(identity) = &profile.identity {
            let server = identity.server().unwrap_or("no server");
            self.ok("identity", format!("{} at {server}", identity.agent_id()));
        }
        let reached = match profile.stranger() {
            Ok(client) => self.server(&client).await,
            Err(failure) => {
                self.failed("server", failure);
                false
            }
        };
        if !reached {
            for name in ["clock", "api key", "public key"] {
                self.skipped(name, "the server comes first");
            }
            return;
        }
        let caller = match profile.caller() {
            Ok(caller) => caller,
            Err(failure) => {
                self.failed("api key", failure);
                return;
            }
        };
        let Some(known) = self.api_key(&caller).await else {
            for name in ["clock", "public key"] {
                self.skipped(name, "the API key comes first");
            }
            return;
        };
        self.clock(known.and_then(|it| it.agent.last_seen_at));
        self.public_key(&caller).await;
        self.keys(&caller.client).await;
        self.others(&caller.client);
    }

    async fn server(&mut self, client: &Client) -> bool {
        let server = client.server();
        let health = match client.health().await {
            Ok(health) => health,
            Err(error) => {
                self.failed("server", error.into());
                return false;
            }
        };
        self.ok("server", format!("{server}, version {}", health.version));
        match client.readiness().await {
            Ok(_) => self.ok("ready", "database and files".to_owned()),
            Err(error) => {
                let mut failure = Failure::from(error);
                failure.hint = format!("its operator sees which part is down at {server}/readyz");
                self.failed("ready", failure);
            }
        }
        true
    }

    /// Whether the key works; if so, what the server says of the agent that acts, if there is one.
    async fn api_key(&mut self, caller: &Caller) -> Option<Option<ServerProfile>> {
        let what = match caller.key_kind {
            KeyKind::Account => "the account",
            KeyKind::Agent => "one agent",
            KeyKind::ConnectionToken => "connecting an agent, once",
            KeyKind::MailedLink => "what a mailed link is for, once",
            KeyKind::Session => "a person who signed in",
        };
        let works = format!("{}..., for {what}", caller.key_shown);
        match caller.client.profile().await {
            Ok(profile) => {
                self.ok("api key", works);
                Some(Some(profile))
            }
            Err(Error::Api(error))
                if caller.agent.is_none() && error.code == ErrorCode::NotFound =>
            {
                self.ok("api key", works);
                Some(None)
            }
            Err(error) => {
                self.failed("api key", error.into());
                None
            }
        }
    }

    fn clock(&mut self, server: Option<Timestamp>) {
        let Some(server) = server else {
            self.skipped("clock", "the server did not say what time it is");
            return;
        };
        let now = human::now();
        let (skew, which) = if server > now {
            (server.since(now), "behind")
        } else {
            (now.since(server), "ahead of")
        };
        if skew <= SKEW {
            let skew = human::took(skew);
            self.ok("clock", format!("within {skew} of the server's"));
        } else {
            let skew = human::duration(skew);
            let message = format!("this machine's clock is {skew} {which} the server's");
            let hint = "set the clock that is wrong: expiry and signed addresses depend on it";
            self.failed("clock", Failure::refused("CLOCK", message, hint));
        }
    }

    async fn public_key(&mut self, caller: &Caller) {
        let Some(identity) = caller.client.identity() else {
            self.skipped("public key", "there is no identity");
            return;
        };
        match caller.client.agent(&identity.agent_ref()).await {
            Ok(agent) if agent.public_key == Some(identity.public_key()) => {
                let version = agent.key_version;
                let detail = format!("the server's is this identity's, version {version}");
                self.ok("public key", detail);
            }
            Ok(_) => {
                let message = "the server has another key for this agent than the identity";
                let hint = "files sealed for the other do not open here: use the identity that has it, or register anew";
                let failure = Failure::refused("OWN_KEY_DIFFERS", message, hint);
                self.failed("public key", failure);
            }
            Err(error) => self.failed("public key", error.into()),
        }
    }

    /// The keys by which others verify this agent: here, and at the server.
    async fn keys(&mut self, client: &Client) {
        let own = match client.own_keys() {
            Ok(Some(own)) => own,
            Ok(None) => {
                self.skipped(
                    "keys",
                    "none that others verify it by; `agentdrop keys publish` makes them",
                );
                return;
            }
            Err(error) => {
                self.failed("keys", error.into());
                return;
            }
        };
        if !own.published {
            let message = "the server has not taken all of this agent's keys";
            let hint = "publish them with `agentdrop keys publish`";
            let failure = Failure::refused("KEYS_NOT_PUBLISHED", message, hint);
            self.failed("keys", failure);
            return;
        }
        match client.prekeys_left().await {
            Ok(left @ 1..) => self.ok("keys", format!("published, {left} one-time prekeys left")),
            Ok(0) => {
                let message = "the server has no one-time prekeys of this agent left";
                let hint = "give it more with `agentdrop keys publish`";
                self.failed("keys", Failure::refused("NO_PREKEYS", message, hint));
            }
            Err(error) => self.failed("keys", error.into()),
        }
    }

    /// Whether anything is to be decided about others.
    fn others(&mut self, client: &Client) {
        let known = match client.known_agents() {
            Ok(Some(known)) => known.list(),
            Ok(None) => return,
            Err(error) => Err(error),
        };
        match known {
            Ok(known) => {
                let blocked = known.iter().filter(|(_, it)| it.is_blocked());
                let names: Vec<_> = blocked.map(|(_, it)| it.label()).collect();
                if names.is_empty() {
                    let rotated = known.iter().filter(|(_, it)| it.how == How::Rotated);
                    let rotated: Vec<_> = rotated.map(|(_, it)| it.label()).collect();
                    let rotated = match &*rotated {
                        [] => String::new(),
                        all => format!(
                            "; known by a new key that was not compared: {}",
                            all.join(", ")
                        ),
                    };
                    let known = human::count(known.len(), "agent");
                    self.ok("known agents", format!("{known}, none is blocked{rotated}"));
                    return;
                }
                let message = format!("blocked until you decide: {}", names.join(", "));
                let hint = "`agentdrop trust` lists them, and `agentdrop trust accept` shows why";
                let failure = Failure::refused("PEERS_BLOCKED", message, hint);
                self.failed("known agents", failure);
            }
            Err(error) => self.failed("known agents", error.into()),
        }
    }

    /// Whether files can be placed in the folder; one that is not there is made when it is needed.
    fn target(&mut self, folder: &Path) {
        let shown = folder.display();
        if !folder.exists() {
            self.skipped(
                "target folder",
                &format!("{shown} is made when it is needed"),
            );
            return;
        }
        match tempfile::tempfile_in(folder) {
            Ok(_) => self.ok("target folder", format!("{shown} can be written to")),
            Err(error) => {
                let doing = format!("write to {shown}");
                self.failed("target folder", Failure::io(&doing, &error));
            }
        }
    }

    fn ok(&mut self, name: &'static str, detail: String) {
        self.0.push(Check {
            name,
            state: Mark::Ok,
            detail,
            hint: None,
        });
    }

    fn skipped(&mut self, name: &'static str, why: &str) {
        let detail = format!("not checked: {why}");
        self.0.push(Check {
            name,
            state: Mark::Skipped,
            detail,
            hint: None,
        });
    }

    fn failed(&mut self, name: &'static str, failure: Failure) {
        let (detail, hint) = (failure.message, Some(failure.hint));
        self.0.push(Check {
            name,
            state: Mark::Failed,
            detail,
            hint,
        });
    }
}

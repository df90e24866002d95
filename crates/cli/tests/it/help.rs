//! Every command's help is frozen: what is typed is a promise.

use insta::{Settings, assert_snapshot};

use crate::support::{Sandbox, names};

/// Every command that has a help of its own.
const COMMANDS: &[&str] = &[
    "",
    "accept",
    "account",
    "account create",
    "account delete",
    "account export",
    "account password",
    "account reset-password",
    "account sessions",
    "account set",
    "account show",
    "account usage",
    "account verify",
    "admin",
    "admin account",
    "admin account create",
    "admin account list",
    "admin account set-plan",
    "admin audit",
    "admin audit verify",
    "admin backup",
    "admin check",
    "admin migrate-store",
    "admin restore",
    "agents",
    "agents delete",
    "audit",
    "block",
    "blocked",
    "completions",
    "confirm",
    "connect",
    "connections",
    "connections agents",
    "connections revoke",
    "delete",
    "demo",
    "doctor",
    "inbox",
    "keys",
    "keys create",
    "keys export",
    "keys import",
    "keys list",
    "keys publish",
    "keys revoke",
    "keys rotate",
    "list",
    "login",
    "logout",
    "man",
    "open",
    "pair",
    "pairings",
    "pairings change",
    "pairings revoke",
    "quarantine",
    "quarantine discard",
    "quarantine list",
    "quarantine release",
    "quarantine show",
    "receive",
    "receive-password",
    "receive-password change",
    "receive-password remove",
    "receive-password set",
    "receive-password show",
    "register",
    "reject",
    "scan",
    "send",
    "serve",
    "show",
    "trust",
    "trust accept",
    "trust compare",
    "trust export",
    "trust import",
    "trust keep",
    "trust reset",
    "unblock",
    "whoami",
];

#[test]
fn every_command_has_a_help() {
    let sandbox = Sandbox::new();
    let mut settings = Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for command in COMMANDS {
        let help = sandbox.run(&format!("{command} --help")).expect(0);
        assert_eq!(help.stderr, "");
        let name = format!("help {command}").trim_end().replace(' ', "_");
        settings.bind(|| assert_snapshot!(name, help.stdout));
    }
}

#[test]
fn no_command_is_missing_here() {
    let sandbox = Sandbox::new();
    let help = sandbox.run("--help").expect(0).stdout;
    let commands = help.split("Commands:\n").nth(1).unwrap();
    for line in commands.lines().take_while(|it| !it.is_empty()) {
        let name = line.split_whitespace().next().unwrap();
        assert!(COMMANDS.contains(&name), "{name}");
    }
}

#[test]
fn help_does_not_show_what_is_secret_in_the_environment() {
    let sandbox = Sandbox::new();
    for (command, variable) in [
        ("send", "AGENTDROP_API_KEY"),
        ("serve", "AGENTDROP_DATABASE_URL"),
        ("serve", "AGENTDROP_SMTP_URL"),
    ] {
        let mut command = sandbox.command([command, "--help"]);
        let output = command.env(variable, "hunter2").output().unwrap();
        let help = String::from_utf8(output.stdout).unwrap();
        assert!(
            help.contains(variable) && !help.contains("hunter2"),
            "{help}"
        );
    }
}

#[test]
fn completions_and_manual_pages_are_made() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = sandbox.run(&format!("completions {shell}")).expect(0);
        assert!(script.stdout.contains("receive"), "{shell}");
    }
    assert!(sandbox.run("man").expect(0).stdout.starts_with(".ie"));
    sandbox.run("man pages/man1").expect(0);
    let pages = names(&sandbox.path("pages/man1"));
    assert!(pages.contains(&"agentdrop.1".to_owned()), "{pages:?}");
    assert!(
        pages.contains(&"agentdrop-admin-account-create.1".to_owned()),
        "{pages:?}"
    );
}

#[test]
fn the_version_is_said() {
    let said = Sandbox::new().run("--version").expect(0).stdout;
    assert_eq!(said, format!("agentdrop {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn the_api_document_is_printed() {
    let document = Sandbox::new().run("openapi").expect(0).json();
    assert!(document["paths"]["/v1/transfers"].is_object());
}

#[test]
fn help_is_a_command_too() {
    let sandbox = Sandbox::new();
    for (line, same) in [
        ("help", "--help"),
        ("help send", "send --help"),
        ("help admin account create", "admin account create --help"),
    ] {
        let help = sandbox.run(line).expect(0).stdout;
        assert!(!help.is_empty());
        assert_eq!(help, sandbox.run(same).expect(0).stdout);
    }
    sandbox.run("help no-such-command").expect(2);
}

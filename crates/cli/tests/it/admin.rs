//! What an operator does beside a running server.

use crate::support::{Pair, Run, Sandbox, Serve};

#[test]
fn accounts_are_made_beside_a_running_server() {
    let pair = Pair::new();
    let line = "admin account create --data-dir data --name Other --email other@example.org";
    let made = pair.sandbox.run(&format!("-q {line}")).expect(0);
    let mut whoami = pair.sandbox.command(["--json", "whoami"]);
    whoami
        .env("AGENTDROP_SERVER", &pair.serve.url)
        .env("AGENTDROP_API_KEY", made.stdout.trim());
    let whoami = Run::of(&mut whoami).expect(0).json();
    assert!(whoami["profile"].is_null(), "it has no agent yet");

    let again = pair
        .sandbox
        .run(&format!("--json {}", line.replace("other@", "OTHER@")));
    assert_eq!(again.expect(1).json()["error"]["code"], "ACCOUNT_EXISTS");
    let listed = pair.sandbox.json("admin account list --data-dir data");
    let emails: Vec<_> = listed["accounts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["email"])
        .collect();
    assert_eq!(emails, ["me@example.org", "other@example.org"]);
}

#[test]
fn an_account_gets_another_plan_beside_a_running_server() {
    let pair = Pair::new();
    let plans = || {
        let listed = pair.sandbox.json("admin account list --data-dir data");
        let accounts = listed["accounts"].as_array().unwrap().clone();
        accounts
            .iter()
            .map(|it| it["plan"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let create = "admin account create --data-dir data --name Other --email other@example.org";
    pair.sandbox.json(&format!("{create} --plan team"));
    assert_eq!(plans(), ["enterprise", "team"]);
    let set = "admin account set-plan --data-dir data";
    let changed = pair.sandbox.json(&format!("{set} ME@example.org free"));
    assert_eq!(changed["plan"], "free");
    assert_eq!(plans(), ["free", "team"]);
    // The server that runs knows at once: two agents are there already.
    let refused = pair.owner("--json register third").expect(1).json();
    assert_eq!(refused["error"]["code"], "PLAN_LIMIT_REACHED");
    let unknown = pair
        .sandbox
        .run(&format!("--json {set} nobody@example.org free"));
    assert_eq!(unknown.expect(1).json()["error"]["code"], "NOT_FOUND");
    let nowhere = "--json admin account set-plan --data-dir absent me@example.org free";
    let nowhere = pair.sandbox.run(nowhere);
    assert_eq!(nowhere.expect(1).json()["error"]["code"], "NO_DATA");
}

#[test]
fn an_account_can_be_made_before_the_server() {
    let sandbox = Sandbox::new();
    let line = "admin account create --data-dir data --name Me --email me@example.org";
    let made = sandbox.json(line);
    let serve = Serve::start(&sandbox);
    let mut agents = sandbox.command(["-q", "agents", "--server", &serve.url]);
    agents.env("AGENTDROP_API_KEY", made["api_key"].as_str().unwrap());
    assert_eq!(Run::of(&mut agents).expect(0).stdout, "");
}

#[test]
fn keys_are_made_and_revoked() {
    let pair = Pair::new();
    let made = pair.owner("--json keys create spare").expect(0).json();
    assert!(made["api_key"].as_str().unwrap().starts_with("agd_live_"));
    let id = made["id"].as_str().unwrap();
    assert!(pair.owner("-q keys").expect(0).stdout.contains(id));
    pair.owner(&format!("keys revoke {id}")).expect(0);
    assert!(!pair.owner("-q keys list").expect(0).stdout.contains(id));

    let made = pair
        .owner("-q keys create --agent bob spare")
        .expect(0)
        .stdout;
    assert!(made.starts_with("ada_live_"), "{made}");
    let listed = pair.owner("--json keys --agent bob").expect(0).json();
    assert_eq!(listed["keys"].as_array().unwrap().len(), 2);
    let id = listed["keys"][0]["id"].as_str().unwrap();
    pair.owner(&format!("keys revoke --agent bob {id}"))
        .expect(0);
    let error = pair
        .owner(&format!("--json keys revoke --agent alice {id}"))
        .expect(1)
        .json();
    assert_eq!(error["error"]["code"], "NOT_FOUND");
}

#[test]
fn meddling_with_an_audit_log_is_named() {
    let pair = Pair::new();
    pair.owner("keys create spare").expect(0);
    let verify = "admin audit verify --data-dir data";
    let whole = pair.sandbox.json(verify);
    assert_eq!(whole["ok"], true);
    assert_eq!(whole["logs"], 1);
    assert_eq!(whole["broken"].as_array().unwrap().len(), 0);
    let only = pair
        .sandbox
        .json(&format!("{verify} --account ME@example.org"));
    assert_eq!(only["records"], whole["records"]);

    meddle(&pair.sandbox.path("data/agentdrop.db"));
    let broken = pair.sandbox.run(&format!("--json {verify}")).expect(1);
    let broken = broken.json();
    assert_eq!(broken["ok"], false);
    assert_eq!(broken["records"], 1);
    let first = &broken["broken"][0];
    assert_eq!(first["seq"], 2);
    assert_eq!(first["fault"], "missing");
    let account = first["account_id"].as_str().unwrap();
    let said = pair
        .sandbox
        .run(&format!("-q {verify} --account {account}"));
    assert_eq!(said.expect(1).stdout, format!("{account} 2 missing\n"));
    let said = pair.sandbox.run(verify).expect(1).stdout;
    assert!(said.contains("record 2: the entry is missing"), "{said}");

    let nobody = pair
        .sandbox
        .run(&format!("--json {verify} --account x@example.org"));
    assert_eq!(nobody.expect(2).json()["error"]["code"], "NOT_FOUND");
    let nowhere = pair
        .sandbox
        .run("--json admin audit verify --data-dir nowhere");
    assert_eq!(nowhere.expect(2).json()["error"]["code"], "NO_DATA");
    assert!(!pair.sandbox.path("nowhere").exists());
}

/// Takes the second record away, as whoever may write to the database can.
fn meddle(database: &std::path::Path) {
    let database = rusqlite::Connection::open(database).unwrap();
    let patience = std::time::Duration::from_secs(10);
    database.busy_timeout(patience).unwrap();
    let sql = "DROP TRIGGER audit_entries_go; DELETE FROM audit_entries WHERE seq = 2;";
    database.execute_batch(sql).unwrap();
}

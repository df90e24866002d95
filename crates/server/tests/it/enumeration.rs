//! Who has an account, nobody learns: neither by what is answered, nor by what is done for it.
//!
//! How long answers take is measured by `scripts/bench strangers`.
//!
//! Three tell by contract, and are tried where they are at home: whether somebody can be encrypted
//! for (`receive_passwords`), that a sixth stranger a day is refused (`people`), and that an address
//! that has an account gets no second one (below).

use agentdrop_server::{Config, EmailVerification};
use agentdrop_testkit::engines::Engine;
use agentdrop_testkit::http::Answer;
use agentdrop_testkit::server::{PASSWORD, TestServer, text};
use serde_json::{Value, json};

use crate::parties::{Parties, Party};
use crate::statements::Tap;
use crate::world::run_sql;

/// Addresses of four who are to look alike: as long as each other, for lengths tell as well.
const PEOPLE: [&str; 4] = [
    "registered@example.org",
    "unverified@example.org",
    "nobody-one@example.org",
    "nobody-two@example.org",
];

/// All but the last two have an account; the second only says that the address is its own.
async fn people(server: &TestServer) {
    for (email, password) in [(PEOPLE[0], PASSWORD), (PEOPLE[1], PASSWORD)] {
        let body = json!({ "name": "Pat", "email": email, "password": password });
        server
            .http
            .post("/v1/accounts", "", &body)
            .await
            .expect(201);
    }
    let verified = |at: &str, email: &str| {
        format!("UPDATE accounts SET email_verified_at = {at} WHERE email = '{email}'")
    };
    run_sql(server, &verified("1", PEOPLE[0])).await;
    run_sql(server, &verified("NULL", PEOPLE[1])).await;
    run_sql(server, &verified("1", "alex.morgan@example.org")).await;
}

/// An answer to the byte, less what is random or the time in each, and the address that was asked
/// with.
fn seen(answer: &Answer, email: &str) -> (u16, Vec<(String, String)>, usize, String) {
    let mut body = String::from_utf8(answer.bytes.clone()).unwrap();
    let mut drawn = Vec::new();
    if let Ok(Value::Object(said)) = serde_json::from_slice(&answer.bytes) {
        drawn.extend(said.get("id").and_then(Value::as_str).map(str::to_owned));
        let file = said.get("files").map(|it| &it[0]["file_id"]);
        drawn.extend(file.and_then(Value::as_str).map(str::to_owned));
    }
    drawn.push(answer.header("x-request-id").to_owned());
    for it in drawn {
        body = body.replace(&it, "DRAWN");
    }
    let headers = answer.headers.iter().map(|(name, value)| {
        let value = match name.as_str() {
            "date" | "x-request-id" | "ratelimit-remaining" | "ratelimit-reset" => "",
            _ => value.to_str().unwrap(),
        };
        (name.to_string(), value.to_owned())
    });
    let body = body.replace(email, "ADDRESS");
    (answer.status, headers.collect(), answer.bytes.len(), body)
}

/// Asks about each, and checks that all are answered alike; answers how.
async fn assert_alike(what: &str, status: u16, mut ask: impl AsyncFnMut(&str) -> Answer) {
    let mut answers = Vec::new();
    for email in PEOPLE {
        let answer = ask(email).await;
        assert_eq!(answer.status, status, "{what}: {}", answer.json());
        answers.push(seen(&answer, email));
    }
    for (answer, email) in answers.iter().zip(PEOPLE) {
        assert_eq!(*answer, answers[2], "{what} of {email}");
    }
}

async fn look_up(by: &Party, email: &str) -> Answer {
    let email = email.replace('@', "%40");
    by.get(&format!("/v1/transfers/recipient-public-key?email={email}"))
        .await
}

async fn send(by: &Party, email: &str) -> Answer {
    by.send("data-pipeline", email, &[("mode", "agent-to-human")])
        .await
}

async fn start(engine: Engine) -> Parties {
    let parties = Parties::on(TestServer::start(engine, required).await).await;
    people(&parties.server).await;
    parties
}

fn required(config: &mut Config) {
    config.email_verification = Some(EmailVerification::Required);
}

#[tokio::test]
async fn nobody_is_told_who_has_an_account() {
    for engine in Engine::ALL {
        let Parties { server, alex, .. } = &start(engine).await;
        assert_alike("a lookup", 200, async |it| look_up(alex, it).await).await;
        assert_alike("a transfer", 201, async |it| send(alex, it).await).await;
        assert_alike("an invitation", 201, async |it| alex.invite(it).await).await;
        let again = "an invitation that waits";
        assert_alike(again, 409, async |it| alex.invite(it).await).await;
        assert_alike("a new password", 200, async |it| {
            let body = json!({ "email": it });
            server.http.post("/v1/password-resets", "", &body).await
        })
        .await;
        assert_alike("a wrong password", 401, async |it| {
            server.try_password(it, "not the password").await
        })
        .await;
        // With it, whoever signs in knows that there is an account.
        server.try_password(PEOPLE[0], PASSWORD).await.expect(201);
    }
}

/// The transfer itself says no more later, to its sender, until it is activated.
#[tokio::test]
async fn what_waits_looks_alike_whomever_it_waits_for() {
    for engine in Engine::ALL {
        let Parties { server, alex, .. } = &start(engine).await;
        let mut sent = Vec::new();
        for email in PEOPLE {
            sent.push(text(&send(alex, email).await.expect(201), "id"));
        }
        server.activate().await;
        server.sweep().await;
        let mut of = PEOPLE.iter().zip(&sent);
        let mut path = |email: &str| of.find(|it| *it.0 == email).unwrap().1.clone();
        assert_alike("the transfer", 200, async |it| {
            alex.get(&format!("/v1/transfers/{}", path(it))).await
        })
        .await;
        for (email, id) in PEOPLE.iter().zip(&sent) {
            let refused = alex.get(&format!("/v1/transfers/{id}/download")).await;
            refused.expect_error(410, "GONE");
            let log = crate::audit::log(server, &alex.account).await;
            let about: Vec<_> = log
                .iter()
                .filter(|it| it.to_string().contains(id))
                .collect();
            assert_eq!(about.len(), 1, "{email}: {about:?}");
            alex.delete(&format!("/v1/transfers/{id}"))
                .await
                .expect(200);
        }
    }
}

/// Signing up tells of an address that it has an account, for whoever makes one is answered its
/// key; whether the address was verified it does not tell, and where nobody signs up, nothing.
#[tokio::test]
async fn signing_up_tells_no_more_than_it_has_to() {
    for engine in Engine::ALL {
        let Parties { server, .. } = &start(engine).await;
        let sign_up = async |email: &str| {
            let body = json!({ "name": "Pat", "email": email, "password": PASSWORD });
            server.http.post("/v1/accounts", "", &body).await
        };
        let taken = [sign_up(PEOPLE[0]).await, sign_up(PEOPLE[1]).await];
        taken[0].expect_error(409, "ACCOUNT_EXISTS");
        assert_eq!(seen(&taken[0], PEOPLE[0]), seen(&taken[1], PEOPLE[1]));

        let closed = |config: &mut Config| config.signup = Some(agentdrop_server::Signup::Closed);
        let server = TestServer::start(engine, closed).await;
        let insert = "INSERT INTO accounts (id, name, email, email_folded, email_verified_at, plan,
                          created_at)
                      VALUES ('01890000-0000-7000-8000-000000000000', 'Pat', 'EMAIL', 'EMAIL', 1,
                          'free', 1)";
        run_sql(&server, &insert.replace("EMAIL", PEOPLE[0])).await;
        assert_alike("signing up", 403, async |email| {
            let body = json!({ "name": "Pat", "email": email });
            server.http.post("/v1/accounts", "", &body).await
        })
        .await;
    }
}

/// As many statements are run for each, in as many units of work, whoever is asked about. Which
/// they are may differ by one that finds nothing, in the place of one that finds something.
#[tokio::test]
async fn as_much_is_done_whoever_is_asked_about() {
    let (server, tap) = Tap::server(required).await;
    let parties = Parties::on(server).await;
    people(&parties.server).await;
    let alex = &parties.alex;
    for (with, asked) in [
        (
            "JOIN accounts ON accounts.id = receive_passwords",
            Asked::LookUp,
        ),
        ("INSERT INTO transfers", Asked::Send),
        ("INSERT INTO connections", Asked::Invite),
        ("UPDATE transfers SET downloads", Asked::Delete),
    ] {
        let mut done = Vec::new();
        run_sql(&parties.server, "DELETE FROM strangers").await;
        for email in PEOPLE {
            let waits = match asked {
                Asked::Delete => text(&send(alex, email).await.expect(201), "id"),
                _ => String::new(),
            };
            tap.take(with);
            let answer = match asked {
                Asked::LookUp => look_up(alex, email).await,
                Asked::Send => send(alex, email).await,
                Asked::Invite => alex.invite(email).await,
                Asked::Delete => alex.delete(&format!("/v1/transfers/{waits}")).await,
            };
            assert!(answer.status < 300, "{}", answer.json());
            let mut units = tap.take(with);
            assert_eq!(units.len(), 1, "{with}: {units:?}");
            done.extend(units.pop());
        }
        let nobody = &done[2];
        for (unit, email) in done.iter().zip(PEOPLE) {
            let differ = unit.iter().zip(nobody).filter(|(one, other)| one != other);
            assert_eq!(
                unit.len(),
                nobody.len(),
                "{email}: {unit:#?}, not {nobody:#?}"
            );
            let most = usize::from(matches!(asked, Asked::Invite));
            assert!(
                differ.count() <= most,
                "{email}: {unit:#?}, not {nobody:#?}"
            );
        }
    }
}

enum Asked {
    LookUp,
    Send,
    Invite,
    Delete,
}

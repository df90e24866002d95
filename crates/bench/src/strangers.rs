//! How long the server takes to answer about an address with an account, and about one without: if
//! that differs, whoever asks learns who is here.
//!
//! Half of the world's accounts ask, each a few questions, for most may be asked a few times an
//! hour only; the other half is asked about, each beside an address as long that nobody has.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::connection::{Connection, request, wrong};
use crate::transfers::to_person;
use crate::welch::Sample;
use crate::world::{Account, Place};

/// After what runs behind an answer. What comes right behind that takes longer for it, and so one
/// is asked first whose answer does not count.
const PAUSE: Duration = Duration::from_millis(5);
/// What runs behind an answer is not to be in the time of the next.
const BEHIND: Duration = Duration::from_millis(15);
/// The same of what begins only a while after the answer.
const LONG_BEHIND: Duration = Duration::from_millis(80);
/// Rounds that ask from one address, from which not many passwords may be tried.
const PER_ADDRESS: usize = 8;

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    place: Place,
}

/// What is asked.
#[derive(Clone, Copy)]
enum Question {
    PasswordReset,
    Lookup,
    Transfer,
    Invitation,
    WrongPassword,
}

impl Question {
    const ALL: [Self; 5] = [
        Self::PasswordReset,
        Self::Lookup,
        Self::Transfer,
        Self::Invitation,
        Self::WrongPassword,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::PasswordReset => "password reset",
            Self::Lookup => "lookup",
            Self::Transfer => "transfer",
            Self::Invitation => "invitation",
            Self::WrongPassword => "wrong password",
        }
    }

    /// The status it is answered with, whoever is asked about.
    const fn status(self) -> u16 {
        match self {
            Self::PasswordReset | Self::Lookup => 200,
            Self::Transfer | Self::Invitation => 201,
            Self::WrongPassword => 401,
        }
    }

    const fn behind(self) -> Duration {
        match self {
            Self::PasswordReset => LONG_BEHIND,
            _ => BEHIND,
        }
    }

    fn request(self, by: &Account, email: &str) -> io::Result<Vec<u8>> {
        let post = |path: &str, key: &str, body: &Value| {
            let line = format!("POST {path}");
            request(&line, key, "application/json", body.to_string().as_bytes())
        };
        Ok(match self {
            Self::PasswordReset => post("/v1/password-resets", "", &json!({ "email": email })),
            Self::Lookup => {
                let email = email.replace('@', "%40");
                let line = format!("GET /v1/transfers/recipient-public-key?email={email}");
                request(&line, &by.key, "", b"")
            }
            Self::Transfer => to_person(by, email)?,
            Self::Invitation => post("/v1/connections", &by.key, &json!({ "email": email })),
            Self::WrongPassword => {
                let body = json!({ "email": email, "password": "not the password" });
                post("/v1/sessions", "", &body)
            }
        })
    }
}

pub(crate) async fn run(args: Args) -> io::Result<Value> {
    let accounts = args.place.world()?.accounts;
    let (askers, known) = accounts.split_at(accounts.len() / 2);
    let mut found = Vec::new();
    for (n, question) in Question::ALL.into_iter().enumerate() {
        // Nobody asks twice about the same: each question has them ask about the next.
        let mut turned = askers.iter().collect::<Vec<_>>();
        turned.rotate_left(n % askers.len().max(1));
        let mut took = [vec![], vec![]];
        for (round, (by, of)) in turned.into_iter().zip(known).enumerate() {
            let (mut connection, emails) = begin(&args.place, round, by, of).await?;
            // Turn about, so that neither always comes first.
            for which in [round % 2, 1 - round % 2] {
                let ask = question.request(by, &emails[which])?;
                let begun = Instant::now();
                connection.json(&ask, question.status()).await?;
                took[which].push(begun.elapsed().as_secs_f64() * 1e6);
                sleep(question.behind()).await;
            }
        }
        let [known, nobody] = took.map(Sample::of);
        let few = || wrong("the world has too few accounts to measure anything");
        let (known, nobody) = (known.ok_or_else(few)?, nobody.ok_or_else(few)?);
        found.push(json!({
            "question": question.name(), "rounds": askers.len(), "t": known.t(&nobody),
            "known_median_us": known.median, "nobody_median_us": nobody.median,
            "known_mean_us": known.mean, "nobody_mean_us": nobody.mean,
        }));
    }
    Ok(json!({ "questions": found }))
}

/// A connection that something was asked on, about neither, and the two addresses: the one of an
/// account, and one as long that nobody has.
async fn begin(
    place: &Place,
    round: usize,
    by: &Account,
    of: &Account,
) -> io::Result<(Connection, [String; 2])> {
    let mut connection = Connection::open(place.server, Some(source(round))).await?;
    let instead = |first: char| {
        let rest = of.email.get(1..).unwrap_or_default();
        format!("{first}{rest}")
    };
    let other = Question::Lookup.request(by, &instead('_'))?;
    connection.json(&other, Question::Lookup.status()).await?;
    sleep(PAUSE).await;
    Ok((connection, [of.email.clone(), instead('0')]))
}

/// The address of the loopback that a round asks from.
fn source(round: usize) -> IpAddr {
    let [.., high, low] = (round / PER_ADDRESS).to_be_bytes();
    Ipv4Addr::new(127, 1, high, low).into()
}

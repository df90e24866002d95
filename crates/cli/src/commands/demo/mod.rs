//! `agentdrop demo`: a server, two agents, and files on their way, in one go.
//!
//! Nothing is staged: the server is the one that `agentdrop serve` runs, the agents speak to it over
//! HTTP, and what is said of its disk was looked for on its disk.

mod search;

use std::env;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use agentdrop_client::{Client, Incoming, NewAgent, Outgoing, Page, Received};
use agentdrop_protocol::text::{Email, Name};
use agentdrop_protocol::wire::accounts::CreateAccount;
use agentdrop_protocol::wire::transfers::Transfer;
use agentdrop_server::{CancellationToken, Config, Server};
use serde::Serialize;
use serde_json::json;
use tempfile::TempDir;
use tokio::task::JoinHandle;

use self::search::{Looked, Needles, What};
use crate::exit::{Exit, Failure, Result};
use crate::human;
use crate::printer::{Mark, Printer};
use crate::progress::Bar;

/// An account's address lies on the server's disk as it is, which shows that the search can find.
const EMAIL: &str = "demo@example.org";
/// Files that are listed one by one.
const MAX_LISTED: usize = 10;
const DIFFERS: &str = "this must not happen: please report it, with what was printed";

/// Show the whole of it: a server, two agents, and your files on their way
#[derive(clap::Args)]
#[command(
    after_help = "A server starts in a temporary folder, alice sends the files to bob, and what the server has \
    on its disk meanwhile is searched for them. Nothing is left when it is over."
)]
pub(crate) struct Args {
    /// The files to send [default: README.md, or a text made for it]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Shows it.
pub(crate) async fn run(args: Args, printer: &Printer) -> Result<Exit> {
    let folder = tempfile::Builder::new().prefix("agentdrop-demo-").tempdir();
    let folder = folder.map_err(|error| Failure::io("make a temporary folder", &error))?;
    let files = choose(args.files, folder.path())?;
    let example = example(&files, folder.path());
    let mut needles = read_blocking("read the files", {
        let files = files.clone();
        move || Needles::of(&files)
    })
    .await?;
    needles.control(EMAIL.as_bytes());

    let stage = Box::pin(Stage::set(folder)).await?;
    printer.heading("AgentDrop demo: a real server, two agents, your files");
    printer.line("");
    printer.fields(&[
        ("server", &format!("{}, in a temporary folder", stage.url)),
        (
            "agents",
            "alice and bob, each with a key pair that it made itself",
        ),
    ]);
    printer.line("");

    // What is there before the files come is not of the files.
    let looked = look(&needles, &stage).await?;
    let needles = needles.without(&looked);

    let (sent, took) = Box::pin(timed(stage.send(&files, printer))).await?;
    let names: Vec<&str> = sent.files.iter().map(|it| it.name.as_str()).collect();
    let (what, bytes) = (human::files(&names), human::content_bytes(&sent));
    let (bytes, took) = (human::bytes(bytes), human::took(took));
    printer.done(&format!("alice sealed and sent {what}, {bytes}, in {took}"));

    let looked = look(&needles, &stage).await?;
    let (received, took) = Box::pin(timed(stage.receive(printer))).await?;
    let took = human::took(took);
    printer.done(&format!("bob received, checked and opened it in {took}"));
    let compared = compare(files, &received).await?;
    stage.close().await;

    let mut problems = said_of_files(&compared, printer);
    problems.extend(said_of_search(&needles, &looked, printer));
    if !problems.is_empty() {
        return Err(Failure::broken("DEMO_FAILED", problems.join("; "), DIFFERS));
    }
    said_of_server(&sent, printer);
    how_to_go_on(&example, printer);
    printer.json(&json!({
        "files": compared,
        "searched": {
            "files": looked.files,
            "bytes": looked.bytes,
            "samples": needles.count(What::Content),
            "names": needles.count(What::Name),
            "found": 0,
        },
    }));
    Ok(Exit::Done)
}

/// The files to send: those that were named, else the README, else a text of our own.
fn choose(named: Vec<PathBuf>, folder: &Path) -> Result<Vec<PathBuf>> {
    if let Some(folder) = named.iter().find(|it| it.is_dir()) {
        let message = format!("{} is a folder", folder.display());
        let hint = "name files; `agentdrop send` takes folders as well";
        return Err(Failure::refused("IS_A_FOLDER", message, hint));
    }
    if !named.is_empty() {
        return Ok(named);
    }
    let readme = PathBuf::from("README.md");
    if readme.is_file() {
        return Ok(vec![readme]);
    }
    let path = folder.join("a letter to bob.txt");
    let text = "Dear Bob,\n\nnobody between us can read this.\n\nYours, Alice\n";
    let written = File::create(&path).and_then(|mut it| it.write_all(text.as_bytes()));
    written.map_err(|error| Failure::io("write a text to send", &error))?;
    Ok(vec![path])
}

/// A file for a command that can be pasted.
fn example(files: &[PathBuf], folder: &Path) -> String {
    let plain = |it: char| it.is_ascii_alphanumeric() || "/._-+".contains(it);
    let shown = files.iter().filter(|it| !it.starts_with(folder));
    let mut shown = shown.map(|it| it.display().to_string());
    let plain = shown.find(|it| it.chars().all(plain) && !it.starts_with('-'));
    plain.unwrap_or_else(|| "FILE".to_owned())
}

/// A server that runs, and its two agents.
struct Stage {
    url: String,
    alice: Client,
    bob: Client,
    running: Running,
    folder: TempDir,
}

struct Running {
    stop: CancellationToken,
    task: Option<JoinHandle<()>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Stage {
    async fn set(folder: TempDir) -> Result<Self> {
        let mut config = Config::new(folder.path().join("server"));
        config.listen = ([127, 0, 0, 1], 0).into();
        // Its own clients are the only ones, and they are in a hurry.
        config.rates = None;
        let server = Box::pin(Server::start(&config)).await?;
        let url = server.public_url().to_owned();
        let stop = CancellationToken::new();
        let task = Some(tokio::spawn(server.run(stop.clone())));
        let running = Running { stop, task };

        let name: Name = "demo".parse().expect("it is a name");
        let email: Email = EMAIL.parse().expect("it is an address");
        let asked = CreateAccount {
            name,
            email,
            password: None,
            invitation: None,
        };
        let nobody = Client::builder(&url).build()?;
        let account = nobody.create_account(asked).await?;
        let agent = async |slug: &'static str| -> Result<Client> {
            let key = account.api_key.parse().map_err(|error| {
                Failure::broken("DEMO_FAILED", format!("the API key {error}"), DIFFERS)
            })?;
            let owner = Client::builder(&url).api_key(key).build()?;
            let new = NewAgent::new(slug.parse().expect("it is a slug"));
            let registered = owner.register(&folder.path().join(slug), new).await?;
            Ok(Client::builder(&url)
                .identity(registered.identity)
                .build()?)
        };
        let (alice, bob) = (agent("alice").await?, agent("bob").await?);
        Ok(Self {
            url,
            alice,
            bob,
            running,
            folder,
        })
    }

    async fn send(&self, files: &[PathBuf], printer: &Printer) -> Result<Transfer> {
        let bar = Bar::new(printer);
        let bob = "bob".parse().expect("it is a slug");
        let outgoing = Outgoing::to(bob).files(files).progress(bar.progress());
        Ok(self.alice.send(outgoing).await?.transfer)
    }

    async fn receive(&self, printer: &Printer) -> Result<Received> {
        let inbox = self.bob.inbox(Page::default()).await?;
        let waiting = inbox
            .transfers
            .into_iter()
            .next()
            .ok_or_else(|| Failure::broken("DEMO_FAILED", "nothing waits for bob", DIFFERS))?;
        let bar = Bar::new(printer);
        let incoming = Incoming::into_folder(self.folder.path().join("received"));
        let incoming = incoming.listed(waiting.clone()).progress(bar.progress());
        Ok(self.bob.receive(waiting.id, incoming).await?)
    }

    fn data_dir(&self) -> PathBuf {
        self.folder.path().join("server")
    }

    /// Stops the server, and removes the folder.
    async fn close(mut self) {
        self.running.stop.cancel();
        if let Some(task) = self.running.task.take() {
            // Whatever became of it, the files were compared before.
            drop(task.await);
        }
    }
}

#[derive(Serialize)]
struct Compared {
    name: String,
    bytes: u64,
    same: bool,
}

async fn compare(files: Vec<PathBuf>, received: &Received) -> Result<Vec<Compared>> {
    if files.len() != received.files.len() {
        let message = format!(
            "{} files were sent, {} came",
            files.len(),
            received.files.len()
        );
        return Err(Failure::broken("DEMO_FAILED", message, DIFFERS));
    }
    let mut compared = Vec::new();
    for (one, other) in files.into_iter().zip(&received.files) {
        let path = other.path.clone();
        let same = read_blocking("compare the files", move || search::same(&one, &path)).await?;
        let (name, bytes) = (other.name.to_string(), other.bytes);
        compared.push(Compared { name, bytes, same });
    }
    Ok(compared)
}

async fn look(needles: &Needles, stage: &Stage) -> Result<Looked> {
    let (needles, data_dir) = (needles.clone(), stage.data_dir());
    read_blocking("search the server's folder", move || {
        needles.look(&data_dir)
    })
    .await
}

async fn read_blocking<T: Send + 'static>(
    doing: &str,
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.expect("reading files does not panic")
        .map_err(|error| Failure::io(doing, &error))
}

async fn timed<T>(work: impl Future<Output = Result<T>> + Send) -> Result<(T, Duration)> {
    let began = Instant::now();
    Ok((work.await?, began.elapsed()))
}

fn said_of_files(compared: &[Compared], printer: &Printer) -> Vec<String> {
    let differ: Vec<_> = compared.iter().filter(|it| !it.same).collect();
    if differ.is_empty() {
        printer.done("byte for byte the same");
    } else {
        printer.mark(Mark::Failed, "not the same");
    }
    let width = compared.iter().map(|it| human::bytes(it.bytes).len()).max();
    for it in compared.iter().take(MAX_LISTED) {
        let (width, bytes) = (width.unwrap_or_default(), human::bytes(it.bytes));
        printer.line(&format!("    {bytes:>width$}  {}", it.name));
    }
    if compared.len() > MAX_LISTED {
        printer.line(&format!("    and {} more", compared.len() - MAX_LISTED));
    }
    let problem = |it: &&Compared| format!("`{}` is not what was sent", it.name);
    differ.iter().map(problem).collect()
}

fn said_of_search(needles: &Needles, looked: &Looked, printer: &Printer) -> Vec<String> {
    let mut problems = Vec::new();
    printer.line("");
    printer.heading(&format!(
        "Searched all the server had on its disk meanwhile: {}, {}",
        human::count(looked.files, "file"),
        human::bytes(looked.bytes)
    ));
    for (what, thing) in [(What::Content, "piece"), (What::Name, "name")] {
        let found = needles.found(what, looked);
        let things = match (what, needles.count(what)) {
            (_, 0) => {
                let why = format!("no {thing} of the files is distinct enough to be looked for");
                printer.mark(Mark::Skipped, &why);
                continue;
            }
            (What::Content, count) => {
                let pieces = human::count(count, "piece");
                format!("what is in the files, {pieces} from all over them")
            }
            (_, 1) => "the file's name".to_owned(),
            (_, count) => format!("the files' names, all {count}"),
        };
        if found.is_empty() {
            printer.done(&format!("not there: {things}"));
        } else {
            printer.mark(Mark::Failed, &format!("there: {things}"));
        }
        let problem = |it: &Path| format!("a {thing} of the files is in {}", it.display());
        problems.extend(found.into_iter().map(problem));
    }
    if needles.found(What::Control, looked).is_empty() {
        problems.push(format!("the search does not find {EMAIL}, which is there"));
    } else {
        printer.done(&format!(
            "there, as it should be: {EMAIL}, the account's address"
        ));
    }
    problems
}

fn said_of_server(sent: &Transfer, printer: &Printer) {
    let sizes = sent.files.iter().take(4).map(|it| it.size.to_string());
    let mut sizes = sizes.collect::<Vec<_>>().join(", ");
    if sent.files.len() > 4 {
        sizes.push_str(", ...");
    }
    let many = human::count(sent.files.len(), "file");
    printer.line("");
    printer.heading("The server could see");
    printer.fields(&[
        ("who", "alice sent to bob"),
        ("when", &sent.created_at.to_string()),
        ("how much", &format!("{many} of {sizes} bytes, sealed")),
        (
            "names",
            "while it handles them; on its disk encrypted with server.key",
        ),
    ]);
    printer.heading("It could not see");
    printer.fields(&[("contents", "it never had a key that opens them")]);
}

fn how_to_go_on(file: &str, printer: &Printer) {
    let program = env::args().next().unwrap_or_else(|| "agentdrop".to_owned());
    printer.line("");
    printer.heading("To go on, with a server that stays");
    for line in [
        &format!("{program} serve"),
        &format!("{program} admin account create --name Me --email me@example.org"),
        "export AGENTDROP_SERVER=http://127.0.0.1:8787 AGENTDROP_API_KEY=the-key-it-prints",
        &format!("{program} register alice --config-dir alice"),
        &format!("{program} register bob --config-dir bob"),
        &format!("{program} send bob {file} --config-dir alice"),
        &format!("{program} receive --config-dir bob --to received"),
    ] {
        printer.line(&format!("  {line}"));
    }
}

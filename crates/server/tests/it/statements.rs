//! What a server has its database do: seen on the wire between the two.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use agentdrop_server::Config;
use agentdrop_testkit::engines::Engine;
use agentdrop_testkit::server::TestServer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::{TcpListener, TcpStream};

/// The statements of one unit of work, or a single one outside of any.
pub(crate) type Unit = Vec<String>;

/// A wire to a PostgreSQL server that is listened in on.
#[derive(Clone, Default)]
pub(crate) struct Tap(Arc<Mutex<Vec<Unit>>>);

impl Tap {
    /// A server, and what it has its database do.
    pub(crate) async fn server(change: impl FnOnce(&mut Config)) -> (TestServer, Self) {
        let (tap, target) = (Self::default(), Arc::new(OnceLock::<String>::new()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let here = listener.local_addr().unwrap();
        let (of, to) = (tap.clone(), Arc::clone(&target));
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let server = TcpStream::connect(to.get().unwrap()).await.unwrap();
                tokio::spawn(of.clone().listen(client, server));
            }
        });
        let change = |config: &mut Config| {
            let url = config.database_url.take().unwrap();
            let (user, place) = url.rsplit_once('@').unwrap();
            let (address, name) = place.split_once('/').unwrap();
            target.set(address.to_owned()).unwrap();
            config.database_url = Some(format!("{user}@{here}/{name}"));
            change(config);
        };
        (TestServer::start(Engine::Postgres, change).await, tap)
    }

    /// Those since the last time that have a statement with this in it; of each, all of them.
    pub(crate) fn take(&self, with: &str) -> Vec<Unit> {
        let all = std::mem::take(&mut *self.0.lock().unwrap());
        let is_it = |it: &Unit| it.iter().any(|it| it.contains(with));
        all.into_iter().filter(is_it).collect()
    }

    /// Passes on what is said, and notes what the client has run.
    async fn listen(self, client: TcpStream, server: TcpStream) {
        client.set_nodelay(true).unwrap();
        server.set_nodelay(true).unwrap();
        let (mut from, mut back) = client.into_split();
        let (mut answers, mut to) = server.into_split();
        tokio::spawn(async move { drop(copy(&mut answers, &mut back).await) });
        // The first message has no letter.
        let mut heard = Heard::default();
        let mut is_first = true;
        loop {
            let mut head = vec![0; if is_first { 4 } else { 5 }];
            if from.read_exact(&mut head).await.is_err() {
                return;
            }
            let length = u32::from_be_bytes(*head.last_chunk().unwrap());
            let mut body = vec![0; length as usize - 4];
            if from.read_exact(&mut body).await.is_err() {
                return;
            }
            if !is_first && let Some(unit) = heard.message(head[0], &body) {
                self.0.lock().unwrap().push(unit);
            }
            is_first = false;
            if to.write_all(&head).await.is_err() || to.write_all(&body).await.is_err() {
                return;
            }
        }
    }
}

/// What was heard on one connection.
#[derive(Default)]
struct Heard {
    /// Statements that were prepared, by their names.
    prepared: HashMap<String, String>,
    /// The unit of work that is under way.
    unit: Option<Unit>,
}

impl Heard {
    /// Reads a message of the client (PostgreSQL's protocol, version 3); answers what came to its
    /// end with it.
    fn message(&mut self, letter: u8, body: &[u8]) -> Option<Unit> {
        let mut texts = body.split(|it| *it == 0).map(String::from_utf8_lossy);
        let mut text = || texts.next().unwrap_or_default().into_owned();
        match letter {
            b'P' => {
                self.prepared.insert(text(), text());
                None
            }
            b'B' => {
                let (_portal, name) = (text(), text());
                self.ran(self.prepared[&name].clone())
            }
            b'Q' => match text() {
                it if it.starts_with("BEGIN") || it.starts_with("START TRANSACTION") => {
                    self.unit = Some(Unit::new());
                    None
                }
                it if it.starts_with("COMMIT") || it.starts_with("ROLLBACK") => {
                    let mut unit = self.unit.take().unwrap_or_default();
                    unit.push(it);
                    Some(unit)
                }
                it => self.ran(it),
            },
            _ => None,
        }
    }

    fn ran(&mut self, sql: String) -> Option<Unit> {
        match &mut self.unit {
            Some(unit) => {
                unit.push(sql);
                None
            }
            None => Some(vec![sql]),
        }
    }
}

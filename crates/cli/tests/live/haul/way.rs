//! A way to the server that counts what passes, holds it up where it is told to, and can be cut.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// It runs until it is dropped.
pub(super) struct Way {
    /// Where it begins.
    pub(super) url: String,
    state: watch::Sender<State>,
    _running: JoinSet<()>,
}

#[derive(Clone, Copy)]
struct State {
    server: Option<SocketAddr>,
    /// Bytes that came from clients, and from servers.
    passed: [u64; 2],
    /// Which of the two are held up, and behind how many bytes.
    hold: Option<(Direction, u64)>,
    /// How often it was cut.
    cuts: u64,
}

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Up,
    Down,
}

impl Way {
    pub(super) async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (state, _) = watch::channel(State {
            server: None,
            passed: [0; 2],
            hold: None,
            cuts: 0,
        });
        let mut running = JoinSet::new();
        running.spawn(accept(listener, state.clone()));
        Self {
            url,
            state,
            _running: running,
        }
    }

    pub(super) fn lead_to(&self, server: Option<SocketAddr>) {
        self.state.send_modify(|it| it.server = server);
    }

    /// How many bytes went this way.
    pub(super) fn passed(&self, direction: Direction) -> u64 {
        self.state.borrow().passed[direction as usize]
    }

    /// Lets so many bytes pass this way, and then nothing.
    pub(super) fn hold_behind(&self, direction: Direction, bytes: u64) {
        self.state
            .send_modify(|it| it.hold = Some((direction, bytes)));
    }

    pub(super) fn let_pass(&self) {
        self.state.send_modify(|it| it.hold = None);
    }

    /// Waits until something is held up.
    pub(super) async fn held(&self) {
        let mut state = self.state.subscribe();
        state.wait_for(State::is_held).await.unwrap();
    }

    /// Ends every connection.
    pub(super) fn cut(&self) {
        self.state.send_modify(|it| it.cuts += 1);
    }
}

impl State {
    fn is_held(&self) -> bool {
        self.hold
            .is_some_and(|it| self.passed[it.0 as usize] >= it.1)
    }

    fn lets_pass(&self, direction: Direction) -> bool {
        self.hold.is_none_or(|it| it.0 != direction) || !self.is_held()
    }
}

async fn accept(listener: TcpListener, state: watch::Sender<State>) {
    let mut connections = JoinSet::new();
    loop {
        let (near, _) = listener.accept().await.unwrap();
        let state = state.clone();
        connections.spawn(async move {
            let before = *state.borrow();
            // Where no server is, the connection ends.
            let Some(server) = before.server else { return };
            let Ok(far) = TcpStream::connect(server).await else {
                return;
            };
            drop((near.set_nodelay(true), far.set_nodelay(true)));
            let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
            let mut cut = state.subscribe();
            tokio::select! {
                _ = cut.wait_for(|it| it.cuts > before.cuts) => {}
                ((), ()) = async { tokio::join!(
                    pass(near_in, far_out, Direction::Up, &state),
                    pass(far_in, near_out, Direction::Down, &state),
                ) } => {}
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    direction: Direction,
    state: &watch::Sender<State>,
) {
    let (mut buffer, mut watched) = (vec![0; 64 * 1024], state.subscribe());
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        state.send_modify(|it| it.passed[direction as usize] += read as u64);
        watched
            .wait_for(|it| it.lets_pass(direction))
            .await
            .unwrap();
        if to.write_all(&buffer[..read]).await.is_err() {
            break;
        }
    }
    drop(to.shutdown().await);
}

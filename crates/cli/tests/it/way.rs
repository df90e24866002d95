//! A way to a server that a test can hold up, cut and lay elsewhere, and that counts what passes.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use crate::support::eventually;

/// The way.
pub(crate) struct Way {
    pub(crate) url: String,
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    state: Mutex<State>,
    moved: Condvar,
}

#[derive(Default)]
struct State {
    server: String,
    /// Bytes that clients sent.
    up: u64,
    /// After so many it lets none pass.
    until: Option<u64>,
    is_held: bool,
    open: Vec<TcpStream>,
}

impl Way {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let inner = Arc::new(Inner::default());
        let of = Arc::clone(&inner);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let near = stream.unwrap();
                let server = of.state.lock().unwrap().server.clone();
                // While there is no server, nobody answers.
                let Ok(far) = TcpStream::connect(&server) else {
                    continue;
                };
                let both = [near.try_clone().unwrap(), far.try_clone().unwrap()];
                of.state.lock().unwrap().open.extend(both);
                let (up, down) = (Arc::clone(&of), Arc::clone(&of));
                let (near_in, far_in) = (near.try_clone().unwrap(), far.try_clone().unwrap());
                thread::spawn(move || up.pass(near_in, far, true));
                thread::spawn(move || down.pass(far_in, near, false));
            }
        });
        Self { url, inner }
    }

    /// Leads to this server from now on.
    pub(crate) fn lead_to(&self, url: &str) {
        let server = url.trim_start_matches("http://").to_owned();
        self.inner.state.lock().unwrap().server = server;
    }

    /// How many bytes clients have sent.
    pub(crate) fn up(&self) -> u64 {
        self.inner.state.lock().unwrap().up
    }

    /// Lets no more pass than this, from the beginning on; whatever was held goes on.
    pub(crate) fn hold_after(&self, bytes: u64) {
        let mut state = self.inner.state.lock().unwrap();
        (state.until, state.is_held) = (Some(bytes), false);
        self.inner.moved.notify_all();
    }

    pub(crate) fn let_pass(&self) {
        let mut state = self.inner.state.lock().unwrap();
        (state.until, state.is_held) = (None, false);
        self.inner.moved.notify_all();
    }

    /// Waits until something is held up.
    pub(crate) fn held(&self) {
        eventually("nothing more passes", || {
            self.inner.state.lock().unwrap().is_held
        });
    }

    /// Ends every connection.
    pub(crate) fn cut(&self) {
        let mut state = self.inner.state.lock().unwrap();
        for stream in state.open.drain(..) {
            stream.shutdown(Shutdown::Both).ok();
        }
    }
}

impl Inner {
    fn pass(&self, mut from: TcpStream, mut to: TcpStream, is_up: bool) {
        let mut buffer = [0; 16 * 1024];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            if is_up {
                self.count(read as u64);
            }
            if to.write_all(&buffer[..read]).is_err() {
                break;
            }
        }
        to.shutdown(Shutdown::Write).ok();
        from.shutdown(Shutdown::Read).ok();
    }

    fn count(&self, bytes: u64) {
        let mut state = self.state.lock().unwrap();
        state.up += bytes;
        while state.until.is_some_and(|it| state.up > it) {
            state.is_held = true;
            state = self.moved.wait(state).unwrap();
        }
    }
}

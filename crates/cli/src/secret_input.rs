//! Passwords that are typed, or come on standard input; never on the command line, where others on
//! the machine can see them.

use std::fs::File;
use std::io::{self, Write as _};
use std::thread;

use agentdrop_protocol::Password;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use crate::exit::{Failure, Result};

/// No line that is a password is longer, at four bytes a character.
const MAX_LINE_BYTES: usize = 4096;

/// Where passwords come from.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Source {
    /// Read passwords from standard input, each on a line of its own, in the order they are asked for
    #[arg(long)]
    password_stdin: bool,
}

impl Source {
    /// Asks for a password that exists already.
    pub(crate) async fn password(self, prompt: &str) -> Result<Password> {
        let line = self.line(prompt).await?;
        line.parse().map_err(|error| wrong(&error))
    }

    /// Asks for a password that is to be; twice where it is typed, for nobody sees what they type.
    pub(crate) async fn new_password(self, prompt: &str) -> Result<Password> {
        let password = self.password(prompt).await?;
        if !self.password_stdin && self.password("once more").await? != password {
            return Err(Failure::refused(
                "PASSWORDS_DIFFER",
                "the two passwords are not the same",
                "nothing was changed; try again",
            ));
        }
        Ok(password)
    }

    async fn line(self, prompt: &str) -> Result<Zeroizing<String>> {
        if self.password_stdin {
            return read(io::stdin()).await;
        }
        let terminal = File::options().read(true).write(true).open("/dev/tty");
        let Ok(terminal) = terminal else {
            return Err(Failure::refused(
                "NO_TERMINAL",
                "there is no terminal to ask for a password on",
                "give it on standard input, with `--password-stdin`",
            ));
        };
        let handle = terminal
            .try_clone()
            .map_err(|error| Failure::io("read from the terminal", &error))?;
        // Before it asks: what is typed by then is thrown away, and what is typed at once after it
        // must be neither shown nor lost.
        let hidden = Hidden::begin(&terminal);
        let mut asked = &terminal;
        write!(asked, "{prompt}: ").ok();
        let line = read(handle).await;
        drop(hidden);
        writeln!(asked).ok();
        line
    }
}

/// A terminal that does not show what is typed, until this is dropped: also when a signal ends the
/// wait.
struct Hidden<'t> {
    terminal: &'t File,
    before: Option<Termios>,
}

impl<'t> Hidden<'t> {
    fn begin(terminal: &'t File) -> Self {
        let before = tcgetattr(terminal).ok();
        if let Some(mut modes) = before.clone() {
            modes.local_modes.remove(LocalModes::ECHO);
            tcsetattr(terminal, OptionalActions::Flush, &modes).ok();
        }
        Self { terminal, before }
    }
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            tcsetattr(self.terminal, OptionalActions::Flush, before).ok();
        }
    }
}

/// A line, less what ends it, read on a thread that no signal has to wait for.
async fn read(from: impl io::Read + Send + 'static) -> Result<Zeroizing<String>> {
    let (tell, told) = oneshot::channel();
    thread::spawn(move || tell.send(read_line(from)));
    let line = told.await.map_err(|_| Failure::interrupted())?;
    line.map_err(|error| Failure::io("read the password", &error))
}

/// Byte by byte, so that the next line is left for whoever asks next.
fn read_line(mut from: impl io::Read) -> io::Result<Zeroizing<String>> {
    let mut line = Zeroizing::new(Vec::with_capacity(MAX_LINE_BYTES));
    let mut byte = [0];
    while line.len() < MAX_LINE_BYTES && from.read(&mut byte)? == 1 && byte != *b"\n" {
        line.extend_from_slice(&byte);
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    let text = std::str::from_utf8(&line);
    let text = text.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    Ok(Zeroizing::new(text.to_owned()))
}

fn wrong(error: &agentdrop_protocol::ParseError) -> Failure {
    Failure::refused(
        "PASSWORD",
        format!("the password {error}"),
        "choose another one; several words are good ones",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_one_by_one() {
        let mut input = &b"first\r\nsecond\n\nlast"[..];
        let mut next = || read_line(&mut input).unwrap().to_string();
        assert_eq!(
            [next(), next(), next(), next(), next()],
            ["first", "second", "", "last", ""]
        );
        assert!(read_line(&b"\xff\n"[..]).is_err());
        let long = vec![b'x'; 10_000];
        assert_eq!(read_line(&*long).unwrap().len(), MAX_LINE_BYTES);
    }
}

//! How many files and sockets the server may have open.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Takes as many as the process may take by itself.
///
/// What most systems give a process at first, 1,024, is less than the connections that the server
/// lets in: whoever has that many could keep it from opening its files, too. The low number is there
/// for programs that call `select`, which nothing here does.
pub(super) fn allow_all() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::debug!(%error, "no more files than at first can be open");
    }
}

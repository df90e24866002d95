//! Which of the requests that their callers may repeat run on this node.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The digests of the requests that run; clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct UnderWay(Arc<Mutex<HashSet<[u8; 32]>>>);

/// That one of them runs, until this is dropped: its caller may also go away.
#[derive(Debug)]
pub(crate) struct Running {
    all: UnderWay,
    digest: [u8; 32],
}

impl UnderWay {
    /// Notes that a request runs, unless the same one runs already.
    pub(crate) fn begin(&self, digest: [u8; 32]) -> Option<Running> {
        let began = self.digests().insert(digest);
        began.then(|| Running {
            all: self.clone(),
            digest,
        })
    }

    fn digests(&self) -> MutexGuard<'_, HashSet<[u8; 32]>> {
        // A set of digests is whole whoever panicked with it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.all.digests().remove(&self.digest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_runs_at_a_time_and_another_beside_it() {
        let all = UnderWay::default();
        let first = all.begin([1; 32]);
        assert!(first.is_some());
        assert!(all.begin([1; 32]).is_none());
        assert!(all.begin([2; 32]).is_some());
        drop(first);
        assert!(all.begin([1; 32]).is_some());
    }
}

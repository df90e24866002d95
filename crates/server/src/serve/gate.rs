//! How many connections there may be at a time.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::config::Limits;

/// Counts connections.
#[derive(Clone)]
pub(super) struct Gate(Arc<(Limits, Mutex<HashMap<IpAddr, usize>>)>);

/// A connection's place; dropping it gives it back.
pub(super) struct Pass {
    gate: Gate,
    address: IpAddr,
}

impl Gate {
    pub(super) fn new(limits: Limits) -> Self {
        Self(Arc::new((limits, Mutex::new(HashMap::new()))))
    }

    /// A place for a connection from `address`, if there is one.
    pub(super) fn enter(&self, address: IpAddr) -> Option<Pass> {
        let limits = self.0.0;
        let mut counts = self.counts();
        let all: usize = counts.values().sum();
        let count = counts.entry(address).or_default();
        if all >= limits.max_connections || *count >= limits.max_connections_per_address {
            return None;
        }
        *count += 1;
        Some(Pass {
            gate: self.clone(),
            address,
        })
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        // Counting cannot leave it half done.
        self.0.1.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut counts = self.gate.counts();
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_few_and_come_back() {
        let limits = Limits {
            max_connections: 3,
            max_connections_per_address: 2,
            ..Limits::default()
        };
        let (gate, one, other) = (
            Gate::new(limits),
            [127, 0, 0, 1].into(),
            [127, 0, 0, 2].into(),
        );
        let first = gate.enter(one);
        let second = gate.enter(one);
        assert!(first.is_some() && second.is_some() && gate.enter(one).is_none());
        let third = gate.enter(other);
        assert!(
            third.is_some() && gate.enter(other).is_none(),
            "all places are taken"
        );
        drop(first);
        assert!(gate.enter(one).is_some());
    }
}

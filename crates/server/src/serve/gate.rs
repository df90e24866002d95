//! How many connections there may be at a time.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::auth::subscriber;
use crate::config::Limits;

/// Counts connections.
#[derive(Clone)]
pub(super) struct Gate(Arc<(Limits, Mutex<Counts>)>);

#[derive(Default)]
struct Counts {
    all: usize,
    /// Only of those who have one, or whoever comes from many addresses would fill the memory.
    by_address: HashMap<IpAddr, usize>,
}

/// A connection's place; dropping it gives it back.
pub(super) struct Pass {
    gate: Gate,
    address: IpAddr,
}

impl Gate {
    pub(super) fn new(limits: Limits) -> Self {
        Self(Arc::new((limits, Mutex::default())))
    }

    /// A place for a connection from `address`, if there is one.
    pub(super) fn enter(&self, address: IpAddr) -> Option<Pass> {
        let (limits, address) = (self.0.0, subscriber(address));
        let mut counts = self.counts();
        let count = counts.by_address.get(&address).copied().unwrap_or_default();
        if counts.all >= limits.max_connections || count >= limits.max_connections_per_address {
            return None;
        }
        counts.all += 1;
        counts.by_address.insert(address, count + 1);
        drop(counts);
        Some(Pass {
            gate: self.clone(),
            address,
        })
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        // Counting cannot leave it half done.
        self.0.1.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut counts = self.gate.counts();
        counts.all -= 1;
        if let Some(count) = counts.by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.by_address.remove(&self.address);
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

    #[test]
    fn whoever_is_not_let_in_is_not_remembered() {
        let limits = Limits {
            max_connections: 1,
            ..Limits::default()
        };
        let gate = Gate::new(limits);
        let first = gate.enter([127, 0, 0, 1].into());
        for n in 0..100_u8 {
            assert!(gate.enter([10, 0, 0, n].into()).is_none());
        }
        assert_eq!(gate.counts().by_address.len(), 1);
        drop(first);
        assert_eq!(gate.counts().by_address.len(), 0);
    }

    #[test]
    fn the_addresses_of_one_ipv6_network_count_as_one() {
        let limits = Limits {
            max_connections_per_address: 1,
            ..Limits::default()
        };
        let gate = Gate::new(limits);
        let address = |it: &str| it.parse::<IpAddr>().unwrap();
        let first = gate.enter(address("2001:db8::1"));
        assert!(first.is_some() && gate.enter(address("2001:db8::2")).is_none());
        assert!(gate.enter(address("2001:db8:0:1::1")).is_some());
        let mapped = gate.enter(address("::ffff:127.0.0.1"));
        assert!(mapped.is_some() && gate.enter(address("127.0.0.1")).is_none());
    }
}

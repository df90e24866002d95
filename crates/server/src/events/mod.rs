//! Telling accounts what happens to them, as it happens.
//!
//! What is told is the audit log, read forwards: its entries are numbered without gaps in the order
//! they were committed in, on every node alike, so that whoever names the last number they have seen
//! misses nothing and hears nothing twice.

mod hub;
mod view;

pub(crate) use hub::{Hub, Over, Subscription, run};
pub(crate) use view::View;

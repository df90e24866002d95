//! The service through real sockets, on both engines.

mod first_drop;

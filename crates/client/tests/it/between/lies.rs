//! Lies, one after the other.

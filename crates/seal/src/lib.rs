//! AgentDrop's sealing formats: keys, wrapping, streaming encryption.

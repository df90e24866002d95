//! The AgentDrop client library: transport, sealing, receiving safely.

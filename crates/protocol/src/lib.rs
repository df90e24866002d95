//! What travels between AgentDrop clients and servers: wire types, ids, error codes, limits.

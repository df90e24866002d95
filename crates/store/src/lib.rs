//! Everything an AgentDrop server remembers, in SQLite or PostgreSQL.

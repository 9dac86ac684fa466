//! Against a server.

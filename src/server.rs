//! The listening socket, the connections and their end.

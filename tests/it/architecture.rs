//! Holds the import layers of `src/` against the map in `src/lib.rs`.

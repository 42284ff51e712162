//! One integration binary: a file a concern. Nothing here needs another program; what does is in `tests/real`.

mod architecture;

//! Names of threads that mean something to others than debuggers.

/// The thread that opens the tables of a history. Their engine panics over files that are damaged:
/// whoever waits for the thread reports that, and the panic is no bug of this program.
pub const STORE_OPENING: &str = "store-opening";

//! The log: level and form. No password, token or row value is ever written to it.

use tracing_subscriber::EnvFilter;

/// `log.format`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A line for people.
    Text,
    /// A JSON object a line.
    Json,
}

/// Starts the log on standard error. A second call changes nothing.
pub fn start(level: &str, format: Format) {
    let filter = EnvFilter::new(format!("{level},hyper=warn,h2=warn,rustls=warn,reqwest=warn"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // An error says that a log was started before: in tests, or by an embedding program.
    let _ = match format {
        Format::Text => builder.with_ansi(false).try_init(),
        Format::Json => builder.json().try_init(),
    };
}

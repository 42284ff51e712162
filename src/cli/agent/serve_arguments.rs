//! How an agent serves, by its arguments.

use crate::cli::files::read;
use dbtrail_history::serve::{ServeOptions, Tokens, tls_config};
use std::path::Path;

/// With certificate and key of these files, and the tokens of those. Adds what is wrong with
/// them.
pub(super) fn serve_options(
    (certificate, key): (Option<&Path>, Option<&Path>),
    [token_file, doubt_token_file]: [Option<&Path>; 2],
    ui: bool,
    mistakes: &mut Vec<String>,
) -> ServeOptions {
    let mut options = ServeOptions { ui, ..ServeOptions::default() };
    if let (Some(certificate), Some(key)) = (certificate, key) {
        match (read(certificate), read(key)) {
            (Ok(chain), Ok(private)) => match tls_config(&chain, &private) {
                Ok(tls) => options.tls = Some(tls.into()),
                Err(e) => mistakes.push(format!("{} and {}: {e}", certificate.display(), key.display())),
            },
            (chain, private) => mistakes.extend(chain.err().into_iter().chain(private.err())),
        }
    }
    match token_file.map(Tokens::from_file) {
        Some(Ok(tokens)) => options.tokens = tokens,
        Some(Err(why)) => mistakes.push(why.to_string()),
        None => {}
    }
    match doubt_token_file.map(Tokens::from_file) {
        Some(Ok(tokens)) => options.doubt_tokens = Some(tokens),
        Some(Err(why)) => mistakes.push(why.to_string()),
        None => {}
    }
    options
}

//! `hutong openapi`: the contract.

use std::io::Write;

use crate::failure::Failure;

/// Its flags.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// Prints the OpenAPI document of `/v1`, as the servers give it at `/openapi.json`.
///
/// # Errors
/// A [`Failure`] when it cannot be written.
pub(crate) fn run(_: &Args) -> Result<(), Failure> {
    let text = crate::house::document().to_pretty_json().unwrap_or_default() + "\n";
    std::io::stdout().write_all(text.as_bytes()).map_err(|error| Failure::stdout(&error))
}

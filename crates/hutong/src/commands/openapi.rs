//! `hutong openapi`: the contract.

use std::io::Write;

use crate::failure::Failure;

/// Its flags.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The operator's interface instead of the subscriber's.
    #[arg(long)]
    operator: bool,
}

/// Prints the OpenAPI document of `/v1` or `/operator/v1`, as the servers give it.
///
/// # Errors
/// A [`Failure`] when it cannot be written.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let document = if args.operator { crate::house::operator_document() } else { crate::house::document() };
    let text = document.to_pretty_json().unwrap_or_default() + "\n";
    std::io::stdout().write_all(text.as_bytes()).map_err(|error| Failure::stdout(&error))
}

//! `hutong audit head`: what to keep elsewhere.

use std::io::Write;

use store::StoreError;

use super::{look, unreadable};
use crate::config::ConfigArgs;
use crate::failure::Failure;

/// Its flags.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    config: ConfigArgs,
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let (_, store) = look(&args.config).await?;
    let heads = store.read::<_, StoreError, _>(|view| view.audit().heads()).await;
    let text = heads.map_err(|error| unreadable(&error))?.to_text();
    std::io::stdout().write_all(text.as_bytes()).map_err(|error| Failure::stdout(&error))
}

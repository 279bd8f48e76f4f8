//! `hutong sms listen`: what comes in, as JSON lines.

use std::io::Write;

use jiff::Timestamp;
use sms::{News, ReceiptState};

use super::Centre;
use crate::failure::Failure;

/// The window of a link that sends nothing of its own: what an outbox named by --data still holds leaves
/// at this pace.
const WINDOW: usize = 10;

/// Its flags.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    centre: Centre,
}

#[derive(serde::Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Line {
    Text { from: String, to: String, text: String, at: Timestamp },
    Receipt { message_id: String, state: &'static str, at: Timestamp },
}

/// Prints until Ctrl-C, or until nobody reads.
///
/// # Errors
/// A [`Failure`] of the configuration or of the outbox.
pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let (mut linked, _) = args.centre.open(WINDOW).await?;
    let stop = super::super::stop_wanted();
    tokio::pin!(stop);
    let ended = loop {
        let news = tokio::select! {
            () = &mut stop => break Ok(()),
            news = linked.news.recv() => news,
        };
        let Some(news) = news else { break Ok(()) };
        let at = linked.world.now();
        let line = match news {
            News::Sent(_) => continue,
            News::Text { from, to, body } => Line::Text { from: from.e164(), to, text: body, at },
            News::Receipt { message_id, state } => Line::Receipt { message_id, state: word(state), at },
        };
        if let Err(error) = print(&line) {
            break Err(Failure::stdout(&error));
        }
    };
    linked.close().await;
    ended
}

fn print(line: &Line) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    serde_json::to_writer(&mut stdout, line)?;
    stdout.write_all(b"\n")?;
    stdout.flush()
}

/// The state in the words of SMPP 3.4, section 5.2.28.
fn word(state: ReceiptState) -> &'static str {
    match state {
        ReceiptState::Enroute => "enroute",
        ReceiptState::Delivered => "delivered",
        ReceiptState::Expired => "expired",
        ReceiptState::Deleted => "deleted",
        ReceiptState::Undeliverable => "undeliverable",
        ReceiptState::Accepted => "accepted",
        ReceiptState::Unknown => "unknown",
        ReceiptState::Rejected => "rejected",
    }
}

//! `hutong sms send`: one text to consecutive numbers, by the durable outbox.

use std::collections::HashMap;
use std::io::Write;
use std::time::Duration;

use domain::ids::TextId;
use domain::world::after_seconds;
use domain::{Msisdn, Region, limits, number};
use sms::{News, Sending};
use store::StoreError;
use store::texts::{NewText, TextPurpose, TextState};
use tokio::time::Instant;

use super::{Centre, Linked};
use crate::failure::Failure;

/// Without news of any text for so long, nothing more is to be expected: an answer is waited for 10 s, a
/// text without one goes again within 15 s, and its answer is waited for as long.
const PATIENCE: Duration = Duration::from_secs(40);
/// After the last outcome receipts may still come.
const LATE_RECEIPTS: Duration = Duration::from_secs(1);
/// A text that has not left by then never will.
const VALIDITY_S: i64 = 3_600;
/// Texts queued in one commit.
const BATCH: usize = 1_000;

/// Its flags.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The first number.
    #[arg(long, value_name = "NUMBER")]
    to: String,
    /// What the text says.
    #[arg(long, value_name = "TEXT")]
    text: String,
    /// How many consecutive numbers get it.
    #[arg(long, default_value_t = 1, value_name = "K", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    count: u32,
    /// Submits that may wait for their answers at once.
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1_000))]
    window: u16,
    #[command(flatten)]
    centre: Centre,
}

/// One text, and where it stands.
struct Sent {
    to: Msisdn,
    state: TextState,
    message_ids: Vec<String>,
    error: Option<String>,
    attempts: i64,
}

#[derive(serde::Serialize)]
struct Line<'a> {
    to: String,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<&'a str>,
    /// One for each part, where there is more than one.
    #[serde(skip_serializing_if = "Option::is_none")]
    message_ids: Option<&'a [String]>,
    attempts: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

/// Sends, waits for every outcome, prints them in the order of the numbers.
///
/// # Errors
/// A [`Failure`] when any text was not accepted, exit code 70; of the input or the outbox, exit code 1.
pub(super) async fn run(args: Args) -> Result<(), Failure> {
    if args.text.chars().count() > limits::count(limits::TEXT_CHARS_MAX) {
        return Err(Failure::user(format!("the text has more than {} characters", limits::TEXT_CHARS_MAX))
            .hint("Shorten it, or send it as several texts."));
    }
    let (mut linked, config) = args.centre.open(args.window.into()).await?;
    let outcome = match numbers(&args.to, args.count, config.default_region) {
        Ok(numbers) => send(&mut linked, &numbers, &args.text).await,
        Err(failure) => Err(failure),
    };
    let was_bound = linked.link.is_bound();
    linked.close().await;
    let sent = outcome?;
    print(&sent).map_err(|error| Failure::stdout(&error))?;
    let missing = sent.iter().filter(|text| !is_accepted(text.state)).count();
    if missing == 0 {
        return Ok(());
    }
    let failure = Failure::remote(format!("{missing} of {} texts were not accepted", sent.len()));
    Err(match was_bound {
        true => failure.hint("Each line above says what became of its text."),
        false => failure
            .because_of("the link to the SMS centre was not up at the end")
            .hint("Check --host, --port, --system-id and --password; `hutong smsc` is a centre to try with."),
    })
}

/// The number as anybody would write it, and those that follow it.
fn numbers(first: &str, count: u32, region: Region) -> Result<Vec<Msisdn>, Failure> {
    // A number of no plan known here may still be a phone of a test bed.
    let first = number::read_own(first, region)
        .or_else(|refusal| Msisdn::parse_e164(first.trim()).map_err(|_| refusal))
        .map_err(|refusal| Failure::user("--to is not one number").hint(refusal.hint()))?;
    let next = |i: u64| Msisdn::parse_digits(&(first.digits() + i).to_string());
    (0..u64::from(count))
        .map(next)
        .collect::<Result<_, _>>()
        .map_err(|_| Failure::user("the numbers run beyond 15 digits").hint("Give a smaller --count."))
}

async fn send(linked: &mut Linked, numbers: &[Msisdn], text: &str) -> Result<Vec<Sent>, Failure> {
    let not_after = after_seconds(linked.world.now(), VALIDITY_S);
    let mut sent = Vec::with_capacity(numbers.len());
    let mut place = HashMap::with_capacity(numbers.len());
    for numbers in numbers.chunks(BATCH) {
        let texts: Vec<_> = numbers
            .iter()
            .map(|&to| NewText {
                id: TextId(linked.world.uuid()),
                // Sent again once when nobody knows whether it arrived.
                purpose: TextPurpose::Receipt,
                to,
                suffix: String::new(),
                body: text.to_owned(),
                not_after,
                reference: None,
            })
            .collect();
        for text in &texts {
            place.insert(text.id, sent.len());
            sent.push(Sent {
                to: text.to,
                state: TextState::Queued,
                message_ids: vec![],
                error: None,
                attempts: 0,
            });
        }
        let write = move |tx: &mut store::Tx<'_>| -> Result<(), StoreError> {
            texts.iter().try_for_each(|text| tx.texts().enqueue(text))
        };
        linked
            .store
            .write(write)
            .await
            .map_err(|error| Failure::user("the texts cannot be queued").because(&error))?;
    }
    wait(linked, &mut sent, &place).await;
    Ok(sent)
}

/// Hears what becomes of the texts until nothing more is to be expected.
async fn wait(linked: &mut Linked, sent: &mut [Sent], place: &HashMap<TextId, usize>) {
    let mut open = sent.len();
    let mut until = Instant::now() + PATIENCE;
    loop {
        let news = tokio::select! {
            () = tokio::time::sleep_until(until) => return,
            () = super::super::stop_wanted() => return,
            news = linked.news.recv() => news,
        };
        let Some(news) = news else { return };
        let News::Sent(Sending { id, state, message_ids, error }) = news else { continue };
        let Some(text) = place.get(&id).and_then(|&at| sent.get_mut(at)) else { continue };
        let was_open = !text.state.is_settled();
        // A receipt tells of no further sending.
        if was_open {
            text.attempts += 1;
        }
        text.state = state;
        text.error = error;
        if !message_ids.is_empty() {
            text.message_ids = message_ids;
        }
        if was_open && state.is_settled() {
            open -= 1;
            // Only what brings the end nearer is worth waiting for more.
            until = Instant::now() + if open == 0 { LATE_RECEIPTS } else { PATIENCE };
        }
    }
}

fn is_accepted(state: TextState) -> bool {
    matches!(state, TextState::Accepted | TextState::Delivered | TextState::Undelivered)
}

fn print(sent: &[Sent]) -> std::io::Result<()> {
    let mut stdout = std::io::BufWriter::new(std::io::stdout().lock());
    for text in sent {
        let line = Line {
            to: text.to.e164(),
            state: text.state.word(),
            message_id: text.message_ids.first().map(String::as_str).filter(|id| !id.is_empty()),
            message_ids: (text.message_ids.len() > 1).then_some(text.message_ids.as_slice()),
            attempts: text.attempts,
            error: text.error.as_deref(),
        };
        serde_json::to_writer(&mut stdout, &line)?;
        stdout.write_all(b"\n")?;
    }
    stdout.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_each_other_however_the_first_is_written() {
        let read = |to, count| {
            numbers(to, count, Region::CN)
                .map(|numbers| numbers.iter().map(|number| number.e164()).collect::<Vec<_>>())
        };
        assert_eq!(read("138 0013 8009", 3).unwrap(), ["+8613800138009", "+8613800138010", "+8613800138011"]);
        assert_eq!(read("+99912345678", 1).unwrap(), ["+99912345678"]);
        assert!(read("+999999999999999", 2).is_err());
        assert!(read("nobody", 1).is_err());
    }
}

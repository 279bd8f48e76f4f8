//! Texts from phones: joined, read, and stored before they are acknowledged.

use domain::Msisdn;
use domain::ids::TextId;
use domain::limits;
use serde::Serialize;
use smpp::{DeliverAck, InboundText, text};
use store::StoreError;
use store::failpoints::{self, Point};
use store::jobs::JobKind;
use store::texts::NewInbound;

use super::count;
use super::parts::Whole;
use crate::addresses;
use crate::news::News;
use crate::role::Room;

/// What a `ReadReply` job is about.
#[derive(Serialize)]
struct ReadReply {
    text: TextId,
}

/// Takes one text or one part of it, and says how to acknowledge it.
pub(super) async fn take(room: &Room, delivered: InboundText) -> DeliverAck {
    let destination = delivered.destination.digits.trim_start_matches('+').to_owned();
    if !addresses::is_ours(&room.config, &destination) {
        count("not_ours");
        return DeliverAck::Stored;
    }
    let Some(from) = addresses::phone(&delivered.source, room.config.region) else {
        // A short code or a name: nobody who could have been asked for anything.
        count("not_a_phone");
        return DeliverAck::Stored;
    };
    let joined = match delivered.part {
        None => None,
        Some(part) => match room.parts.accept(&delivered, part, room.world.now()) {
            Some(joined) => Some((Whole::of(&delivered, part), joined)),
            None => {
                count("part");
                return DeliverAck::Stored;
            }
        },
    };
    let body = match &joined {
        None => delivered.body.text(),
        Some((_, joined)) => text::decode(joined.data_coding, &joined.octets),
    };
    let Some(body) = body else {
        tracing::warn!("a text from a phone cannot be read and was refused");
        count("unreadable");
        return DeliverAck::Refused;
    };
    match write(room, from, destination.clone(), &body).await {
        Ok(stored) => {
            if stored {
                room.teller.tell(|| News::Text { from, to: destination, body });
            }
            count(if stored { "text" } else { "copy" });
            DeliverAck::Stored
        }
        Err(error) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a text from a phone could not be stored and is to come again"
            );
            if let Some((whole, joined)) = joined {
                room.parts.keep(whole, joined);
            }
            count("try_later");
            DeliverAck::TryLater
        }
    }
}

/// Stores a text and the job that reads it, in one commit; `false` for a copy.
async fn write(room: &Room, from: Msisdn, destination: String, body: &str) -> Result<bool, StoreError> {
    let now = room.world.now();
    let text = NewInbound {
        id: TextId(room.world.uuid()),
        account: room.account.clone(),
        from,
        destination,
        // What nobody would write by hand is not worth keeping whole.
        body: body.chars().take(limits::count(limits::TEXT_CHARS_MAX)).collect(),
    };
    let write = move |tx: &mut store::Tx<'_>| {
        let stored = tx.texts().receive(&text)?;
        if stored {
            tx.jobs().enqueue(JobKind::ReadReply, &ReadReply { text: text.id }, now)?;
        }
        Ok(stored)
    };
    failpoints::pass(Point::BeforeInbox).await?;
    let stored = room.store.write(write).await?;
    failpoints::pass(Point::AfterInbox).await?;
    Ok(stored)
}

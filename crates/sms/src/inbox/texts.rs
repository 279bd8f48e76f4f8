//! Texts from phones: each part stored before it is acknowledged, the whole joined, read and stored with the last.

use domain::Msisdn;
use domain::ids::TextId;
use domain::limits;
use serde::Serialize;
use smpp::{DeliverAck, InboundText, Part, text};
use store::failpoints::{self, Point};
use store::jobs::JobKind;
use store::texts::{NewInbound, NewPart, PartBody, Unread};
use store::{StoreError, Tx};

use super::{count, unread};
use crate::addresses;
use crate::centre::Centre;
use crate::news::News;
use crate::role::Room;

/// What a `ReadReply` job is about.
#[derive(Serialize)]
struct ReadReply {
    text: TextId,
}

/// What became of a text, or of a part of one.
enum Taken {
    /// Stored, with the job that reads it.
    Text(String),
    /// The same text came before.
    Copy,
    /// A part; others are to come.
    Part,
    /// No text; kept as it came.
    Unread,
}

/// Takes one text or one part of it, and says how to acknowledge it.
pub(super) async fn take(room: &Room, centre: &Centre, delivered: InboundText) -> DeliverAck {
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
    let to = destination.clone();
    match store(room, centre, from, destination, delivered).await {
        Ok(Taken::Text(body)) => {
            count("text");
            room.teller.tell(|| News::Text { from, to, body });
            DeliverAck::Stored
        }
        Ok(Taken::Copy) => {
            count("copy");
            DeliverAck::Stored
        }
        Ok(Taken::Part) => {
            count("part");
            DeliverAck::Stored
        }
        Ok(Taken::Unread) => unread::refuse(),
        Err(error) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a text from a phone could not be stored and is to come again"
            );
            count("try_later");
            DeliverAck::TryLater
        }
    }
}

/// Stores what came in one commit: a part, or a whole and the job that reads it.
async fn store(
    room: &Room,
    centre: &Centre,
    from: Msisdn,
    destination: String,
    delivered: InboundText,
) -> Result<Taken, StoreError> {
    let now = room.world.now();
    let id = TextId(room.world.uuid());
    let (account, part) = (centre.account.clone(), delivered.part);
    let body = PartBody { coding: delivered.body.data_coding, octets: delivered.body.octets };
    let write = move |tx: &mut Tx<'_>| {
        let pieces = match part {
            None => vec![body.clone()],
            Some(part) => {
                let part = new_part(&account, from, &destination, part, &body);
                match tx.texts().receive_part(&part)? {
                    Some(pieces) => pieces,
                    None => return Ok(Taken::Part),
                }
            }
        };
        let Some(words) = read(&pieces) else {
            let octets = pieces.into_iter().flat_map(|piece| piece.octets).collect();
            tx.texts().keep_unread(&Unread { id, account: account.clone(), octets })?;
            return Ok(Taken::Unread);
        };
        // What nobody would write by hand is not worth keeping whole.
        let words: String = words.chars().take(limits::count(limits::TEXT_CHARS_MAX)).collect();
        let (account, destination) = (account.clone(), destination.clone());
        let text = NewInbound { id, account, from, destination, body: words };
        if !tx.texts().receive(&text)? {
            return Ok(Taken::Copy);
        }
        tx.jobs().enqueue(JobKind::ReadReply, &ReadReply { text: id }, now)?;
        Ok(Taken::Text(text.body))
    };
    failpoints::pass(Point::BeforeInbox).await?;
    let taken = room.store.write(write).await?;
    failpoints::pass(Point::AfterInbox).await?;
    Ok(taken)
}

fn new_part(account: &str, from: Msisdn, destination: &str, part: Part, body: &PartBody) -> NewPart {
    NewPart {
        account: account.to_owned(),
        from,
        destination: destination.to_owned(),
        reference: part.reference,
        total: part.total,
        number: part.number,
        body: body.clone(),
    }
}

/// Reads the pieces of a text. Those of one coding are joined first, for a careless phone cuts inside a
/// character; a phone that changes its alphabet between two parts is read part by part.
fn read(pieces: &[PartBody]) -> Option<String> {
    let groups = pieces.chunk_by(|one, next| one.coding == next.coding);
    groups
        .map(|group| {
            let octets: Vec<u8> = group.iter().flat_map(|piece| piece.octets.iter().copied()).collect();
            text::decode(group.first()?.coding, &octets)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(coding: u8, octets: &[u8]) -> PartBody {
        PartBody { coding, octets: octets.to_vec() }
    }

    #[test]
    fn pieces_cut_inside_a_character_and_pieces_of_two_alphabets_are_read() {
        let cut = [piece(8, &[0x4E]), piece(8, &[0x2D, 0xD8, 0x3D]), piece(8, &[0xDE, 0x00])];
        assert_eq!(read(&cut).as_deref(), Some("中😀"));
        let mixed = [piece(0, b"yes "), piece(8, &[0x4E, 0x2D])];
        assert_eq!(read(&mixed).as_deref(), Some("yes 中"));
        assert_eq!(read(&[piece(0, b"yes"), piece(4, b"x")]), None, "octets that are no text");
    }
}

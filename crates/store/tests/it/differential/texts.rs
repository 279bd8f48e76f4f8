//! Verbs of texts: out, in, in parts, and what an operator asked for.

use domain::ids::TextId;
use domain::world::after_seconds;
use store::StoreError;
use store::texts::{NewInbound, NewPart, NewText, OutboundText, TextPurpose, TextState, Unread};

use super::people::WORDS;
use super::{Play, Verb};
use crate::backends::number;

const PURPOSES: [TextPurpose; 4] =
    [TextPurpose::SignIn, TextPurpose::Confirmation, TextPurpose::Receipt, TextPurpose::Notice];
const STATES: [TextState; 4] =
    [TextState::Unknown, TextState::Rejected, TextState::Undelivered, TextState::Expired];
const MESSAGES: [&str; 4] = ["m1", "M1", "m2", ""];

pub(super) const VERBS: &[(&str, Verb)] = &[
    ("write a text", write_text),
    ("write a text", write_text),
    ("take texts", take),
    ("take texts", take),
    ("give a text back", requeue),
    ("accept a text", accept),
    ("accept a text", accept),
    ("settle a text", settle),
    ("receipt", receipt),
    ("receipt", receipt),
    ("receive", receive),
    ("receive a part", receive_part),
    ("receive a part", receive_part),
    ("receive what nobody can read", receive_unread),
    ("communicate", communicate),
    ("silence", silence),
];

fn write_text(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let text = NewText {
        id: TextId(play.fresh()),
        purpose: play.one_of(1, &PURPOSES),
        to: number(play.place(0)),
        suffix: play.one_of(2, &["", "17"]).to_owned(),
        body: play.one_of(2, &WORDS).to_owned(),
        not_after: after_seconds(play.world.now(), play.chances[3] as i64 - 100),
        reference: (play.chances[3].is_multiple_of(2)).then(|| play.one_of(3, &WORDS).to_owned()),
    };
    play.tx.texts().enqueue(&text)?;
    queue(play)
}

/// What is waiting.
fn queue(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let (who, since) = (play.person(0), after_seconds(play.world.now(), -600));
    let purpose = play.one_of(1, &PURPOSES);
    let mut texts = play.tx.texts();
    let (due, open) = (texts.next_due()?, texts.count_open()?);
    Ok(format!("{due:?} {open} {:?} {:?}", texts.outlook()?, texts.count_since(who, purpose, since)?))
}

fn told(text: &OutboundText) -> String {
    format!(
        "{:?} {:?} {} {} {} {} {:?} {} {}",
        text.id,
        text.purpose,
        text.to.e164(),
        text.suffix,
        text.body,
        text.not_after,
        text.reference,
        text.attempts,
        text.sending
    )
}

fn all_told(texts: &[OutboundText]) -> String {
    texts.iter().map(told).collect::<Vec<_>>().join(", ")
}

fn take(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let taken = play.tx.texts().take_due(play.chances[0] % 4)?;
    let expired = if play.chances[1].is_multiple_of(3) { play.tx.texts().expire()? } else { Vec::new() };
    let unanswered =
        if play.chances[2].is_multiple_of(8) { play.tx.texts().list_unanswered(None)? } else { Vec::new() };
    Ok(format!("{} / {expired:?} / {}", all_told(&taken), all_told(&unanswered)))
}

fn requeue(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let (id, sending) = (TextId(play.id(0)), (play.chances[1] % 3) as i64);
    let next = after_seconds(play.world.now(), (play.chances[2] % 20) as i64);
    if play.chances[3].is_multiple_of(2) {
        play.tx.texts().requeue(id, sending, next)?;
    } else {
        play.tx.texts().requeue_uncounted(id, sending, next)?;
    }
    outline(play, id)
}

fn outline(play: &mut Play<'_, '_>, id: TextId) -> Result<String, StoreError> {
    let mut texts = play.tx.texts();
    let (outline, state) = (texts.find_outline(id)?, texts.find_state(id)?);
    Ok(format!("{outline:?} {state:?} {:?}", texts.list_message_ids(id)?))
}

fn accept(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let id = TextId(play.id(0));
    let mut ids = vec![play.one_of(1, &MESSAGES).to_owned()];
    if play.chances[2].is_multiple_of(2) {
        ids.push(play.one_of(2, &MESSAGES).to_owned());
    }
    let settled = play.tx.texts().accept(id, "account", &ids)?;
    Ok(format!("{settled:?} {}", outline(play, id)?))
}

fn settle(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let (id, sending, state) = (TextId(play.id(0)), (play.chances[1] % 3) as i64, play.one_of(2, &STATES));
    let settled = play.tx.texts().settle(id, sending, state)?;
    Ok(format!("{settled:?} {}", outline(play, id)?))
}

fn receipt(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let (message, delivered) = (play.one_of(0, &MESSAGES), play.chances[1].is_multiple_of(2));
    Ok(format!("{:?}", play.tx.texts().receive_receipt("account", message, delivered)?))
}

fn receive(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let id = TextId(play.fresh());
    let text = NewInbound {
        id,
        account: "account".to_owned(),
        from: number(play.place(0)),
        destination: play.one_of(1, &["1069", "106917"]).to_owned(),
        body: play.one_of(2, &WORDS).to_owned(),
    };
    let fresh = play.tx.texts().receive(&text)?;
    let (who, now, other) = (play.person(0), play.world.now(), TextId(play.id(3)));
    let waiting = play.tx.texts().list_waiting_inbound(who, now)?;
    let waiting: Vec<_> =
        waiting.iter().map(|one| (one.id, &one.body, &one.destination, one.received)).collect();
    let found = play.tx.texts().find_inbound(other)?.map(|one| (one.key, one.body));
    let said = format!("{fresh} {waiting:?} {found:?}");
    play.tx.texts().wipe_inbound(other)?;
    Ok(said)
}

fn receive_part(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let part = NewPart {
        account: "account".to_owned(),
        from: number(play.place(0) % 2),
        destination: "1069".to_owned(),
        reference: (play.chances[1] % 2) as u16,
        total: 2,
        number: 1 + (play.chances[2] % 2) as u8,
        body: store::texts::PartBody { coding: 8, octets: vec![0, (play.chances[3] % 2) as u8] },
    };
    let whole = play.tx.texts().receive_part(&part)?;
    Ok(format!(
        "{:?}",
        whole.map(|parts| parts.into_iter().map(|part| (part.coding, part.octets)).collect::<Vec<_>>())
    ))
}

fn receive_unread(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let octets = vec![0, 0xff, play.chances[0] as u8];
    let unread = Unread { id: TextId(play.fresh()), account: "account".to_owned(), octets };
    let kept = play.tx.texts().keep_unread(&unread)?;
    let all = play.tx.texts().list_unread(3)?;
    Ok(format!("{kept} {:?}", all.iter().map(|one| (one.id, &one.octets)).collect::<Vec<_>>()))
}

fn communicate(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let (id, text) = (play.fresh(), TextId(play.id(1)));
    let mut texts = play.tx.texts();
    texts.put_communication(id, play.chances[0].to_string().as_bytes())?;
    // A text that belongs to a request already is a mistake; the same one in both.
    texts.join_communication(id, text, play.chances[2] % 3)?;
    let back = if play.chances[3] < 300 { Some(texts.take_back(text)?) } else { None };
    let (all, count) = texts.list_communications(play.chances[2] % 2, 3)?;
    let all: Vec<_> = all.into_iter().map(|one| (one.id, one.request, one.created)).collect();
    let (of, everything) = (texts.list_texts_of(id)?, texts.list_texts(0, 4)?);
    let told = |one: &store::texts::TextRow| {
        let to = one.to.map(|to| to.e164().to_owned());
        format!("{:?} {to:?} {:?} {:?} {:?} {:?}", one.id, one.body, one.state, one.reference, one.place)
    };
    let of: Vec<_> = of.iter().map(told).collect();
    let every: Vec<_> = everything.0.iter().map(told).collect();
    Ok(format!("{back:?} {all:?} {count} {of:?} {every:?} {}", everything.1))
}

fn silence(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let who = play.person(0);
    if play.chances[1].is_multiple_of(3) {
        play.tx.texts().silence(who)?;
    }
    queue(play)
}

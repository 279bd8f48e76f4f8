//! The stream of server-sent events, as the terminal reads it.

use api::client::EventReader;
use api::events::Event;

pub(crate) fn check(bytes: &[u8]) {
    let Some((&piece, bytes)) = bytes.split_first() else { return };
    let whole = events(&[bytes]);
    assert_eq!(whole, events(&bytes.chunks(1 + usize::from(piece)).collect::<Vec<_>>()), "however it is cut");
    for event in &whole {
        let data = event.happening.data().unwrap_or_default();
        let again = format!("id:{}\nevent:{}\ndata:{data}\n\n", event.id, event.happening.name());
        assert_eq!(
            events(&[again.as_bytes()]),
            std::slice::from_ref(event),
            "an event is read as it is written"
        );
    }
}

/// The events up to the first piece that is not ours.
fn events(pieces: &[&[u8]]) -> Vec<Event> {
    let (mut reader, mut events) = (EventReader::default(), Vec::new());
    for byte in pieces.iter().flat_map(|piece| piece.iter()) {
        match reader.push(&[*byte]) {
            Ok(fresh) => events.extend(fresh),
            Err(_) => break,
        }
    }
    events
}

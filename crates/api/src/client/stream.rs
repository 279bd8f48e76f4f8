//! Server-sent events, read as they come. Source: WHATWG HTML, section 9.2.6.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::stream::{self, BoxStream, Stream};

use super::error::ClientError;
use super::wire::interrupted;
use crate::events::{Event, Happening};

/// One event is an order or a number; a line beyond this is not from Hutong.
const LINE_BYTES_MAX: usize = 64 << 10;

/// The caller's events, until the connection ends.
///
/// Names that this version does not know are passed over. After an end or an error, open it again
/// with the id of the last event.
pub struct EventStream(BoxStream<'static, Result<Event, ClientError>>);

impl std::fmt::Debug for EventStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EventStream")
    }
}

impl Stream for EventStream {
    type Item = Result<Event, ClientError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(cx)
    }
}

impl EventStream {
    pub(super) fn over(response: reqwest::Response) -> Self {
        let state = (response, EventReader::default(), VecDeque::new());
        Self(Box::pin(stream::try_unfold(state, |(mut response, mut reader, mut ready)| async move {
            loop {
                if let Some(event) = ready.pop_front() {
                    return Ok(Some((event, (response, reader, ready))));
                }
                match response.chunk().await.map_err(interrupted)? {
                    Some(chunk) => ready.extend(reader.push(&chunk)?),
                    None => return Ok(None),
                }
            }
        })))
    }
}

/// Takes the stream's bytes in pieces of any size, gives the events that are complete.
#[derive(Default)]
pub struct EventReader {
    line: Vec<u8>,
    after_cr: bool,
    name: String,
    data: Option<String>,
    id: String,
}

impl std::fmt::Debug for EventReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EventReader")
    }
}

impl EventReader {
    /// Takes the next piece.
    ///
    /// # Errors
    /// [`ClientError`] for what no server of ours sends.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<Event>, ClientError> {
        let mut events = Vec::new();
        for &byte in bytes {
            let second_half_of_crlf = byte == b'\n' && self.after_cr;
            self.after_cr = byte == b'\r';
            match byte {
                _ if second_half_of_crlf => {}
                b'\n' | b'\r' => events.extend(self.end_line()?),
                _ if self.line.len() >= LINE_BYTES_MAX => return Err(not_ours()),
                _ => self.line.push(byte),
            }
        }
        Ok(events)
    }

    fn end_line(&mut self) -> Result<Option<Event>, ClientError> {
        let bytes = std::mem::take(&mut self.line);
        let line = String::from_utf8(bytes).map_err(|_| not_ours())?;
        if line.is_empty() {
            return self.dispatch();
        }
        let (field, value) = line.split_once(':').unwrap_or((line.as_str(), ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "id" if !value.contains('\0') => value.clone_into(&mut self.id),
            "data" => match &mut self.data {
                Some(data) if data.len() + value.len() > LINE_BYTES_MAX => return Err(not_ours()),
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => self.data = Some(value.to_owned()),
            },
            // A comment (an empty field) keeps the line alive; other fields are not used here.
            _ => {}
        }
        Ok(None)
    }

    fn dispatch(&mut self) -> Result<Option<Event>, ClientError> {
        let name = std::mem::take(&mut self.name);
        let Some(data) = self.data.take() else { return Ok(None) };
        let happening = Happening::parse(&name, &data).map_err(|_| not_ours())?;
        Ok(happening.map(|happening| Event { id: self.id.clone(), happening }))
    }
}

fn not_ours() -> ClientError {
    ClientError::NotHutong { status: 200, what: "its event stream does not fit the contract" }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = ": hello\r\n\r\nid: 7\nevent: match\ndata: {\"number\":\"+8613800000001\",\
        \ndata: \"matched\":true,\"at\":\"2026-01-01T00:00:00Z\"}\n\nevent: later\ndata: x\n\nevent: match\n\n";

    #[test]
    fn events_are_read_from_pieces_of_any_size() {
        for size in [1, 2, 7, STREAM.len()] {
            let mut reader = EventReader::default();
            let mut events = Vec::new();
            for piece in STREAM.as_bytes().chunks(size) {
                events.extend(reader.push(piece).unwrap());
            }
            assert_eq!(events.len(), 1, "pieces of {size}");
            assert_eq!(events[0].id, "7");
            assert!(matches!(&events[0].happening, Happening::Match(change) if change.matched));
        }
    }

    #[test]
    fn an_endless_line_is_not_ours() {
        let mut reader = EventReader::default();
        assert!(reader.push(&vec![b'x'; LINE_BYTES_MAX + 1]).is_err());
    }
}

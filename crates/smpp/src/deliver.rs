//! What a centre delivers: receipts, texts, and what cannot be read.

use bytes::Bytes;
use futures::future::BoxFuture;

use crate::address::Address;
use crate::config::DefaultAlphabet;
use crate::receipt::Receipt;
use crate::session::SubmitError;
use crate::short_message::{ShortMessage, tag};
use crate::status::code;
use crate::text::{self, Part};

/// Takes what a centre delivers. A delivery is acknowledged only after `deliver` has resolved, so store first.
pub trait Inbound: Send + Sync {
    /// Stores one delivery and says how to acknowledge it. Up to 32 run at once on one session; one that
    /// takes longer than 30 s, or panics, is acknowledged as [`DeliverAck::TryLater`].
    fn deliver(&self, delivered: Delivered) -> BoxFuture<'_, DeliverAck>;

    /// Learns the answer to a [`crate::Session::submit_tagged`] that had already ended as unknown; answers
    /// are matched for 10 minutes while the session lives. Does nothing unless implemented.
    fn answered_late(&self, tag: u128, answer: Result<String, SubmitError>) -> BoxFuture<'_, ()> {
        let _ = (tag, answer);
        Box::pin(std::future::ready(()))
    }
}

/// How a delivery is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliverAck {
    /// Stored: status 0, or 0x65 where the delivery could not be read.
    Stored,
    /// The centre shall deliver it again: status 0x64.
    TryLater,
    /// Never wanted: status 0x65.
    Refused,
}

/// One delivery. `Debug` shows neither numbers nor texts.
#[derive(Clone, PartialEq, Eq)]
pub enum Delivered {
    /// What became of a text sent earlier.
    Receipt(Receipt),
    /// A text from a phone, or one part of it, or octets that are no text, as they came.
    Text(InboundText),
    /// A deliver_sm whose body is malformed, is half a character, or is a receipt without a message id. It is
    /// acknowledged with 0x65, so that the centre does not send it for ever.
    Unreadable {
        /// The whole body.
        raw: Vec<u8>,
    },
}

impl std::fmt::Debug for Delivered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Receipt(receipt) => f.debug_tuple("Receipt").field(receipt).finish(),
            Self::Text(text) => f.debug_tuple("Text").field(text).finish(),
            Self::Unreadable { raw } => write!(f, "Unreadable({} octets)", raw.len()),
        }
    }
}

/// A text from a phone, or one part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboundText {
    /// The phone.
    pub source: Address,
    /// The service it wrote to.
    pub destination: Address,
    /// The text.
    pub body: InboundBody,
    /// Which part of a long text this is; join them with [`crate::text::Reassembler`].
    pub part: Option<Part>,
}

/// The octets of a text as they came, so that parts can be joined before they are read. `Debug` shows none.
#[derive(Clone, PartialEq, Eq)]
pub struct InboundBody {
    /// data_coding (SMPP 3.4 section 5.2.19).
    pub data_coding: u8,
    /// The user data without its header.
    pub octets: Vec<u8>,
}

impl InboundBody {
    /// Makes the body that a phone would send for this text in one piece, as UCS-2.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        Self { data_coding: 0x08, octets: text.encode_utf16().flat_map(u16::to_be_bytes).collect() }
    }

    /// Reads the text; `None` if the data_coding names no text or the octets are half a character.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        text::decode(self.data_coding, &self.octets)
    }
}

impl std::fmt::Debug for InboundBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "InboundBody({:#04x}, {} octets)", self.data_coding, self.octets.len())
    }
}

/// esm_class bits of the message type (SMPP 3.4 section 5.2.12).
const MESSAGE_TYPE: u8 = 0x3C;

/// Reads a deliver_sm body, whatever it is; no body makes it fail, and what cannot be read is given back whole.
pub fn read(body: &Bytes, default_alphabet: DefaultAlphabet) -> Delivered {
    read_sound(body, default_alphabet).unwrap_or_else(|| Delivered::Unreadable { raw: body.to_vec() })
}

fn read_sound(body: &Bytes, default_alphabet: DefaultAlphabet) -> Option<Delivered> {
    let message = ShortMessage::read(body)?;
    // Some centres mark a receipt by its TLV alone; a plain text never carries one.
    if message.esm_class & MESSAGE_TYPE != 0 || message.tlv(tag::RECEIPTED_MESSAGE_ID).is_some() {
        return Receipt::read(&message).map(Delivered::Receipt);
    }
    let (part, octets) = message.text()?;
    let data_coding = match (message.data_coding, default_alphabet) {
        (0x00, DefaultAlphabet::Latin1) => 0x03,
        (data_coding, _) => data_coding,
    };
    let body = InboundBody { data_coding, octets: octets.to_vec() };
    // A part may be cut inside a character by a careless phone; only the whole can be judged.
    if part.is_none() && body.text().is_none() && !text::is_binary(data_coding) {
        return None;
    }
    Some(Delivered::Text(InboundText {
        source: message.source,
        destination: message.destination,
        body,
        part,
    }))
}

/// The command_status that acknowledges a delivery.
pub(crate) fn status(ack: DeliverAck, readable: bool) -> u32 {
    match ack {
        DeliverAck::Stored if readable => code::OK,
        DeliverAck::Stored | DeliverAck::Refused => code::REFUSED,
        DeliverAck::TryLater => code::TRY_LATER,
    }
}

//! Framing: a byte stream cut into PDUs, headers decoded, bodies left as octets.
//!
//! The body is decoded later and apart, so that one malformed body costs one answer and not the session.

use std::io;

use bytes::{Buf, Bytes, BytesMut};
use rusmpp::tokio_codec::CommandCodec;
use rusmpp::{Command, CommandStatus, Pdu};
use tokio_util::codec::{Decoder, Encoder};

/// Octets of a PDU header (SMPP 3.4 section 3.2), and so of the shortest PDU.
pub const HEADER_OCTETS: usize = 16;

/// Octets of the longest PDU taken: a message_payload TLV may carry 64 KiB (SMPP 3.4 section 5.3.2.32),
/// and no centre sends more than that in one PDU.
pub const PDU_OCTETS_MAX: usize = 64 * 1024;

/// Command ids of SMPP 3.4 section 5.1.2.1.
pub mod command {
    /// generic_nack.
    pub const GENERIC_NACK: u32 = 0x8000_0000;
    /// bind_receiver.
    pub const BIND_RECEIVER: u32 = 0x0000_0001;
    /// bind_transmitter.
    pub const BIND_TRANSMITTER: u32 = 0x0000_0002;
    /// submit_sm.
    pub const SUBMIT_SM: u32 = 0x0000_0004;
    /// submit_sm_resp.
    pub const SUBMIT_SM_RESP: u32 = 0x8000_0004;
    /// deliver_sm.
    pub const DELIVER_SM: u32 = 0x0000_0005;
    /// deliver_sm_resp.
    pub const DELIVER_SM_RESP: u32 = 0x8000_0005;
    /// unbind.
    pub const UNBIND: u32 = 0x0000_0006;
    /// unbind_resp.
    pub const UNBIND_RESP: u32 = 0x8000_0006;
    /// bind_transceiver.
    pub const BIND_TRANSCEIVER: u32 = 0x0000_0009;
    /// bind_transceiver_resp.
    pub const BIND_TRANSCEIVER_RESP: u32 = 0x8000_0009;
    /// outbind.
    pub const OUTBIND: u32 = 0x0000_000B;
    /// enquire_link.
    pub const ENQUIRE_LINK: u32 = 0x0000_0015;
    /// enquire_link_resp.
    pub const ENQUIRE_LINK_RESP: u32 = 0x8000_0015;
    /// alert_notification.
    pub const ALERT_NOTIFICATION: u32 = 0x0000_0102;
    /// The bit that marks an answer.
    pub const RESPONSE_BIT: u32 = 0x8000_0000;
}

/// One PDU with its header decoded and its body as it came.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    /// command_id.
    pub id: u32,
    /// command_status; 0 in requests.
    pub status: u32,
    /// sequence_number.
    pub sequence: u32,
    /// The octets after the header.
    pub body: Bytes,
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The body may hold a number or a text, so only its length is shown.
        write!(
            f,
            "Frame({:#010x}, {:#x}, {}, {} octets)",
            self.id,
            self.status,
            self.sequence,
            self.body.len()
        )
    }
}

/// Why a byte stream is not SMPP.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The length field is shorter than a header.
    #[error("PDU length {0} is shorter than a header")]
    TooShort(u32),
    /// The length field is longer than [`PDU_OCTETS_MAX`]; HTTP on the port ends here too.
    #[error("PDU length {0} is over the limit")]
    TooLong(u32),
    /// The stream ended inside a PDU.
    #[error("the stream ended inside a PDU")]
    CutShort,
    /// The socket failed.
    #[error("the socket failed")]
    Io(#[from] io::Error),
}

/// Cuts a byte stream into [`Frame`]s and writes encoded PDUs.
#[derive(Debug, Clone, Copy, Default)]
pub struct FrameCodec;

impl Decoder for FrameCodec {
    type Item = Frame;
    type Error = FrameError;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<Frame>, FrameError> {
        let Some(Ok(length)) = src.get(..4).map(<[u8; 4]>::try_from) else { return Ok(None) };
        let declared = u32::from_be_bytes(length);
        let length = usize::try_from(declared).unwrap_or(usize::MAX);
        if length < HEADER_OCTETS {
            return Err(FrameError::TooShort(declared));
        }
        if length > PDU_OCTETS_MAX {
            return Err(FrameError::TooLong(declared));
        }
        if src.len() < length {
            // Memory grows with what was declared, which the limit above bounds.
            src.reserve(length - src.len());
            return Ok(None);
        }
        let mut pdu = src.split_to(length).freeze();
        pdu.advance(4);
        let (id, status, sequence) = (pdu.get_u32(), pdu.get_u32(), pdu.get_u32());
        Ok(Some(Frame { id, status, sequence, body: pdu }))
    }

    fn decode_eof(&mut self, src: &mut BytesMut) -> Result<Option<Frame>, FrameError> {
        match self.decode(src)? {
            Some(frame) => Ok(Some(frame)),
            None if src.is_empty() => Ok(None),
            None => Err(FrameError::CutShort),
        }
    }
}

/// Encodes one PDU, header and body.
pub(crate) fn encode(status: u32, sequence: u32, pdu: impl Into<Pdu>) -> Bytes {
    let command = Command::new(CommandStatus::from(status), sequence, pdu);
    let mut encoded = BytesMut::new();
    // Writing into memory cannot fail; the codec's error type is there for sockets.
    let _ = CommandCodec::new().encode(&command, &mut encoded);
    encoded.freeze()
}

/// Encodes a PDU that is a header alone.
#[must_use]
pub fn encode_header(id: u32, status: u32, sequence: u32) -> Bytes {
    encode_frame(&Frame { id, status, sequence, body: Bytes::new() })
}

/// Encodes a frame as it stands; its length must be within [`PDU_OCTETS_MAX`] for a peer to take it.
#[must_use]
pub fn encode_frame(frame: &Frame) -> Bytes {
    let length = HEADER_OCTETS + frame.body.len();
    let mut encoded = Vec::with_capacity(length);
    for word in [u32::try_from(length).unwrap_or(u32::MAX), frame.id, frame.status, frame.sequence] {
        encoded.extend_from_slice(&word.to_be_bytes());
    }
    encoded.extend_from_slice(&frame.body);
    encoded.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn http_on_the_port_is_too_long_a_pdu() {
        let mut bytes = BytesMut::from(&b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..]);
        assert!(matches!(FrameCodec.decode(&mut bytes), Err(FrameError::TooLong(_))));
    }

    #[test]
    fn a_length_below_a_header_is_refused() {
        for length in 0u32..16 {
            let mut bytes = BytesMut::from(&length.to_be_bytes()[..]);
            assert!(matches!(FrameCodec.decode(&mut bytes), Err(FrameError::TooShort(_))), "{length}");
        }
    }

    #[test]
    fn the_longest_pdu_passes_and_one_octet_more_does_not() {
        let max = u32::try_from(PDU_OCTETS_MAX).unwrap();
        let mut bytes = BytesMut::from(&max.to_be_bytes()[..]);
        assert!(FrameCodec.decode(&mut bytes).unwrap().is_none());
        let mut bytes = BytesMut::from(&(max + 1).to_be_bytes()[..]);
        assert!(FrameCodec.decode(&mut bytes).is_err());
    }

    #[test]
    fn a_stream_that_ends_inside_a_pdu_is_cut_short() {
        let whole = encode_header(command::ENQUIRE_LINK, 0, 1);
        let mut bytes = BytesMut::from(&whole[..10]);
        assert!(matches!(FrameCodec.decode_eof(&mut bytes), Err(FrameError::CutShort)));
    }

    proptest! {
        #[test]
        fn frames_survive_any_cutting_of_the_stream(
            frames in prop::collection::vec((any::<u32>(), any::<u32>(), any::<u32>(), prop::collection::vec(any::<u8>(), 0..300)), 1..6),
            cut in 1usize..50,
        ) {
            let frames: Vec<Frame> = frames.into_iter()
                .map(|(id, status, sequence, body)| Frame { id, status, sequence, body: body.into() }).collect();
            let stream: Vec<u8> = frames.iter().flat_map(|frame| encode_frame(frame).to_vec()).collect();
            let mut buffer = BytesMut::new();
            let mut read = Vec::new();
            for chunk in stream.chunks(cut) {
                buffer.extend_from_slice(chunk);
                while let Some(frame) = FrameCodec.decode(&mut buffer).unwrap() {
                    read.push(frame);
                }
            }
            prop_assert_eq!(read, frames);
        }

        #[test]
        fn no_octets_make_the_framing_panic(octets in prop::collection::vec(any::<u8>(), 0..2000)) {
            let mut buffer = BytesMut::from(&octets[..]);
            while let Ok(Some(_)) = FrameCodec.decode(&mut buffer) {}
        }
    }
}

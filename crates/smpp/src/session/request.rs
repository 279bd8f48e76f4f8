//! A submit, from the caller's words to a PDU.

use std::str::FromStr;
use std::time::Duration;

use rusmpp::pdus::SubmitSm;
use rusmpp::tlvs::MessageSubmissionRequestTlvValue as TlvValue;
use rusmpp::types::{AnyOctetString, COctetString, EmptyOrFullCOctetString, OctetString};
use rusmpp::values::{DataCoding, EsmClass, MessagePayload, Npi, RegisteredDelivery, Ton};
use tokio::time::Instant;

use super::SubmitError;
use crate::address::Address;
use crate::short_message::UDH_INDICATOR;
use crate::status::{Refusal, code};
use crate::text::Segment;

/// Octets of user data that fit a PDU of [`crate::wire::PDU_OCTETS_MAX`] beside everything else in it.
const USER_DATA_OCTETS_MAX: usize = 63 * 1024;

/// One segment to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submit {
    /// The service.
    pub source: Address,
    /// The phone.
    pub destination: Address,
    /// What to say.
    pub segment: Segment,
    /// How long the centre shall try; `None` leaves it to the centre. Sent as a relative validity_period
    /// (SMPP 3.4 section 7.1.1), in whole seconds, at least 1.
    pub validity: Option<Duration>,
    /// Whether the centre shall send a receipt (registered_delivery).
    pub receipt: bool,
    /// Its first octet leaves before this moment or never: a process that was stopped in between finds that
    /// somebody else may have sent it since.
    pub leave_by: Option<Instant>,
}

impl Submit {
    /// Makes the PDU, or the refusal that a centre would give for what does not fit one.
    pub(super) fn into_pdu(self) -> Result<SubmitSm, SubmitError> {
        let refused = |status| SubmitError::Refused { status, kind: Refusal::Permanent };
        let is_payload = self.segment.is_payload();
        let user_data = self.segment.short_message();
        if user_data.len() > USER_DATA_OCTETS_MAX {
            return Err(refused(code::INVALID_MESSAGE_LENGTH));
        }
        let (short_message, payload) =
            if is_payload { (Vec::new(), Some(user_data)) } else { (user_data, None) };
        let short_message =
            OctetString::from_vec(short_message).map_err(|_| refused(code::INVALID_MESSAGE_LENGTH))?;
        let source =
            COctetString::from_str(&self.source.digits).map_err(|_| refused(code::INVALID_SOURCE))?;
        let destination = COctetString::from_str(&self.destination.digits)
            .map_err(|_| refused(code::INVALID_DESTINATION))?;
        if destination.is_empty() {
            return Err(refused(code::INVALID_DESTINATION));
        }
        let validity = self.validity.map(relative_time).unwrap_or_default();
        let validity = EmptyOrFullCOctetString::from_str(&validity).unwrap_or_default();
        let esm_class = if self.segment.header.is_empty() { 0 } else { UDH_INDICATOR };
        let mut submit = SubmitSm::builder()
            .source_addr_ton(Ton::from(self.source.ton))
            .source_addr_npi(Npi::from(self.source.npi))
            .source_addr(source)
            .dest_addr_ton(Ton::from(self.destination.ton))
            .dest_addr_npi(Npi::from(self.destination.npi))
            .destination_addr(destination)
            .esm_class(EsmClass::from(esm_class))
            .validity_period(validity)
            .registered_delivery(RegisteredDelivery::from(u8::from(self.receipt)))
            .data_coding(DataCoding::from(self.segment.data_coding))
            .short_message(short_message)
            .build();
        if let Some(payload) = payload {
            let payload = MessagePayload::new(AnyOctetString::from_vec(payload));
            submit.push_tlv(TlvValue::MessagePayload(payload));
        }
        // A part without a header is marked by TLVs, and the centre makes the header.
        if let Some(part) = self.segment.part.filter(|_| self.segment.header.is_empty()) {
            submit.push_tlv(TlvValue::SarMsgRefNum(part.reference));
            submit.push_tlv(TlvValue::SarTotalSegments(part.total));
            submit.push_tlv(TlvValue::SarSegmentSeqnum(part.number));
        }
        Ok(submit)
    }
}

/// `YYMMDDhhmmss000R` (SMPP 3.4 section 7.1.1.2), months being 30 days and years 360 for this purpose.
fn relative_time(validity: Duration) -> String {
    let seconds = validity.as_secs().max(1);
    let days = (seconds / 86_400).min(99 * 360);
    let (years, months, days) = (days / 360, days % 360 / 30, days % 30);
    let (hours, minutes, seconds) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{years:02}{months:02}{days:02}{hours:02}{minutes:02}{seconds:02}000R")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::segments;

    fn submit() -> Submit {
        Submit {
            source: Address::short_code("10690001"),
            destination: Address::international("8613800138000"),
            segment: segments("hi", 1).remove(0),
            validity: Some(Duration::from_secs(90)),
            receipt: true,
            leave_by: None,
        }
    }

    #[test]
    fn validity_is_written_relative() {
        for (seconds, written) in [
            (0, "000000000001000R"),
            (90, "000000000130000R"),
            (86_400 * 3 + 3_661, "000003010101000R"),
            (86_400 * 31, "000101000000000R"),
            (u64::MAX, "990000"),
        ] {
            let time = relative_time(Duration::from_secs(seconds));
            assert!(time.starts_with(written) && time.len() == 16, "{time}");
        }
    }

    #[test]
    fn the_octets_are_those_of_the_standard() {
        let pdu = crate::wire::encode(0, 7, submit().into_pdu().unwrap());
        let expected = b"\0\0\0\x51\0\0\0\x04\0\0\0\0\0\0\0\x07\0\0\x0010690001\0\x01\x018613800138000\0\0\0\0\x00000000000130000R\0\x01\0\0\0\x02hi";
        assert_eq!(pdu[16..], expected[16..]);
        assert_eq!(pdu[4..16], expected[4..16]);
    }

    #[test]
    fn what_does_not_fit_is_refused_here() {
        let status = |submit: Submit| match submit.into_pdu() {
            Err(SubmitError::Refused { status, kind: Refusal::Permanent }) => status,
            other => panic!("{other:?}"),
        };
        let long = "1".repeat(21);
        assert_eq!(status(Submit { source: Address::short_code(&long), ..submit() }), 0x0A);
        assert_eq!(status(Submit { destination: Address::short_code(&long), ..submit() }), 0x0B);
        assert_eq!(status(Submit { destination: Address::short_code(""), ..submit() }), 0x0B);
        let mut segment = submit().segment;
        segment.octets = vec![0; USER_DATA_OCTETS_MAX + 1];
        assert_eq!(status(Submit { segment, ..submit() }), 0x01);
    }
}

//! What a centre delivers: receipts and phones' replies, as deliver_sm.

use std::str::FromStr;

use rusmpp::pdus::DeliverSm;
use rusmpp::tlvs::MessageDeliveryRequestTlvValue as TlvValue;
use rusmpp::types::{AnyOctetString, COctetString, OctetString};
use rusmpp::values::{DataCoding, EsmClass, MessagePayload, MessageState, Npi, Ton};

use super::faults::{LongReply, SourceForm};
use crate::address::Address;
use crate::short_message::UDH_INDICATOR;
use crate::text::{self, Segment};

/// esm_class of a delivery receipt (SMPP 3.4 section 5.2.12).
const RECEIPT: u8 = 0x04;

/// A receipt to be sent.
pub(super) struct Outcome<'a> {
    pub(super) message_id: &'a str,
    pub(super) phone: &'a Address,
    pub(super) service: &'a Address,
    pub(super) at_ms: i64,
    pub(super) delivered: bool,
    pub(super) tlvs: bool,
}

/// The receipt for a text (SMPP 3.4 appendix B), from the phone to the service; `None` if an address does
/// not fit.
pub(super) fn receipt(outcome: &Outcome<'_>) -> Option<DeliverSm> {
    let Outcome { message_id, phone, service, at_ms, delivered, tlvs } = *outcome;
    let at = jiff::Timestamp::from_millisecond(at_ms).ok()?.strftime("%y%m%d%H%M");
    let (count, stat, err, state) = match delivered {
        true => (1, "DELIVRD", 0, MessageState::Delivered),
        false => (0, "UNDELIV", 1, MessageState::Undeliverable),
    };
    let text = format!(
        "id:{message_id} sub:001 dlvrd:{count:03} submit date:{at} done date:{at} stat:{stat} err:{err:03} text:"
    );
    let mut deliver = deliver(phone, service, RECEIPT, 0x00, text.into_bytes())?;
    if tlvs {
        deliver.push_tlv(TlvValue::ReceiptedMessageId(COctetString::from_str(message_id).ok()?));
        deliver.push_tlv(TlvValue::MessageState(state));
    }
    Some(deliver)
}

/// A phone's text to a service, in as many PDUs as it takes; `None` if an address does not fit, an empty
/// list if the text has too many parts.
pub(super) fn replies(
    phone: &Address,
    service: &Address,
    text: &str,
    reference: u16,
    long: LongReply,
) -> Option<Vec<DeliverSm>> {
    let segments = match long {
        LongReply::Header16 => text::segments_wide(text, reference),
        _ => text::segments(text, reference),
    };
    match (long, segments.as_slice()) {
        (LongReply::Payload, [first, _, ..]) => {
            Some(vec![payload(phone, service, first.data_coding, &segments)?])
        }
        (LongReply::Sar, [_, _, ..]) => segments.iter().map(|segment| sar(phone, service, segment)).collect(),
        _ => segments.iter().map(|segment| part(phone, service, segment)).collect(),
    }
}

fn part(phone: &Address, service: &Address, segment: &Segment) -> Option<DeliverSm> {
    let esm_class = if segment.header.is_empty() { 0 } else { UDH_INDICATOR };
    deliver(phone, service, esm_class, segment.data_coding, segment.short_message())
}

fn sar(phone: &Address, service: &Address, segment: &Segment) -> Option<DeliverSm> {
    let mut deliver = deliver(phone, service, 0, segment.data_coding, segment.octets.clone())?;
    let part = segment.part?;
    deliver.push_tlv(TlvValue::SarMsgRefNum(part.reference));
    deliver.push_tlv(TlvValue::SarTotalSegments(part.total));
    deliver.push_tlv(TlvValue::SarSegmentSeqnum(part.number));
    Some(deliver)
}

fn payload(phone: &Address, service: &Address, data_coding: u8, segments: &[Segment]) -> Option<DeliverSm> {
    let mut deliver = deliver(phone, service, 0, data_coding, Vec::new())?;
    let octets: Vec<u8> = segments.iter().flat_map(|segment| segment.octets.iter().copied()).collect();
    deliver.push_tlv(TlvValue::MessagePayload(MessagePayload::new(AnyOctetString::from_vec(octets))));
    Some(deliver)
}

/// A phone's address in one of the forms that centres use; `number` is E.164 with its `+`.
pub(super) fn phone(number: &str, form: SourceForm, country: &str) -> Address {
    let digits = number.trim_start_matches('+');
    match (form, digits.strip_prefix(country)) {
        (SourceForm::Plus, _) => Address { ton: 0, npi: 1, digits: format!("+{digits}") },
        (SourceForm::DoubleZero, _) => Address { ton: 0, npi: 1, digits: format!("00{digits}") },
        (SourceForm::National, Some(national)) => Address { ton: 2, npi: 1, digits: national.to_owned() },
        (SourceForm::International | SourceForm::National, _) => Address::international(digits),
    }
}

fn deliver(
    source: &Address,
    destination: &Address,
    esm_class: u8,
    data_coding: u8,
    message: Vec<u8>,
) -> Option<DeliverSm> {
    let deliver = DeliverSm::builder()
        .source_addr_ton(Ton::from(source.ton))
        .source_addr_npi(Npi::from(source.npi))
        .source_addr(COctetString::from_str(&source.digits).ok()?)
        .dest_addr_ton(Ton::from(destination.ton))
        .dest_addr_npi(Npi::from(destination.npi))
        .destination_addr(COctetString::from_str(&destination.digits).ok()?)
        .esm_class(EsmClass::from(esm_class))
        .data_coding(DataCoding::from(data_coding))
        .short_message(OctetString::from_vec(message).ok()?)
        .build();
    Some(deliver)
}

//! What a centre delivers: receipts and phones' replies, as deliver_sm.

use std::str::FromStr;

use rusmpp::pdus::DeliverSm;
use rusmpp::tlvs::MessageDeliveryRequestTlvValue as TlvValue;
use rusmpp::types::{AnyOctetString, COctetString, OctetString};
use rusmpp::values::{DataCoding, EsmClass, MessagePayload, MessageState, Npi, Ton};

use super::faults::{Faults, LongReply, ReplyUcs2, SourceForm};
use crate::address::Address;
use crate::short_message::UDH_INDICATOR;
use crate::text::{self, Alphabet, Marking, Segment};

/// esm_class of a delivery receipt (SMPP 3.4 section 5.2.12).
const RECEIPT: u8 = 0x04;

/// A receipt to be sent.
#[derive(Clone, Copy)]
pub(super) struct Outcome<'a> {
    pub(super) message_id: &'a str,
    pub(super) phone: &'a Address,
    pub(super) service: &'a Address,
    pub(super) at_ms: i64,
    pub(super) state: MessageState,
    pub(super) tlvs: bool,
    pub(super) layout: usize,
}

/// The layouts in which centres write receipts: that of SMPP 3.4 appendix B, and nine seen in the field. The words
/// in braces are replaced.
pub const RECEIPT_LAYOUTS: [&str; 10] = [
    "id:{id} sub:001 dlvrd:{count} submit date:{at} done date:{at} stat:{stat} err:{err} text:",
    "ID:{id} SUB:001 DLVRD:{count} SUBMIT DATE:{at} DONE DATE:{at} STAT:{stat} ERR:{err} TEXT:",
    "id: {id} sub: 001 dlvrd: {count} stat: {stat} err: {err} text: ",
    "id={id},sub=001,dlvrd={count},stat={stat},err={err}",
    "id:{id};sub:001;dlvrd:{count};stat:{stat};err:{err};",
    "id:{id}\nsub:001\ndlvrd:{count}\nstat:{stat}\nerr:{err}\n",
    "stat:{stat} err:{err} done date:{at} id:{id}",
    "id:\"{id}\" stat:\"{stat}\" err:\"{err}\" text:\"id:1 stat:REJECTD\"",
    "id:{id} submit date:26-01-01 00:00:00 done date:26-01-01 00:00:01 stat:{stat} err:{err} text:stat:REJECTD",
    "message_id:{id} status:{stat} error:{err}",
];

/// The receipt for a text, from the phone to the service; `None` if an address does not fit.
pub(super) fn receipt(outcome: &Outcome<'_>) -> Option<DeliverSm> {
    let Outcome { message_id, phone, service, at_ms, state, tlvs, layout } = *outcome;
    let at = jiff::Timestamp::from_millisecond(at_ms).ok()?.strftime("%y%m%d%H%M").to_string();
    let (count, stat, err) = match state {
        MessageState::Delivered => ("001", "DELIVRD", "000"),
        MessageState::Enroute => ("000", "ENROUTE", "000"),
        _ => ("000", "UNDELIV", "001"),
    };
    let layout = RECEIPT_LAYOUTS.get(layout).unwrap_or(&RECEIPT_LAYOUTS[0]);
    let words = [("{id}", message_id), ("{count}", count), ("{at}", &at), ("{stat}", stat), ("{err}", err)];
    let text = words.iter().fold((*layout).to_owned(), |text, (name, word)| text.replace(name, word));
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
    faults: &Faults,
) -> Option<Vec<DeliverSm>> {
    if let Some(octets) = marked(text, faults.reply_ucs2) {
        return Some(vec![deliver(phone, service, 0, 0x08, octets)?]);
    }
    let marking = match faults.long_reply {
        LongReply::Header8 => Marking::Header8,
        LongReply::Header16 => Marking::Header16,
        LongReply::Sar => Marking::Sar,
        LongReply::Payload => Marking::Payload,
    };
    let alphabet = match faults.reply_ucs2 {
        ReplyUcs2::Fitting => Alphabet::Fitting,
        _ => Alphabet::Ucs2,
    };
    let segments = text::segments_as(text, reference, alphabet, marking);
    let mut parts: Vec<_> =
        segments.iter().map(|segment| part(phone, service, segment)).collect::<Option<_>>()?;
    if parts.len() > 1 && faults.part_missing {
        parts.pop();
    }
    if faults.parts_reordered {
        parts.reverse();
    }
    Some(parts)
}

/// A short text after a byte-order mark, where one is wanted.
fn marked(text: &str, form: ReplyUcs2) -> Option<Vec<u8>> {
    let units = || std::iter::once(0xFEFF).chain(text.encode_utf16());
    let octets: Vec<u8> = match form {
        ReplyUcs2::Fitting | ReplyUcs2::Always => return None,
        ReplyUcs2::BigEndianMark => units().flat_map(u16::to_be_bytes).collect(),
        ReplyUcs2::LittleEndianMark => units().flat_map(u16::to_le_bytes).collect(),
    };
    Some(octets).filter(|octets| octets.len() <= 140)
}

fn part(phone: &Address, service: &Address, segment: &Segment) -> Option<DeliverSm> {
    let esm_class = if segment.header.is_empty() { 0 } else { UDH_INDICATOR };
    if segment.is_payload() {
        let mut deliver = deliver(phone, service, esm_class, segment.data_coding, Vec::new())?;
        let octets = AnyOctetString::from_vec(segment.octets.clone());
        deliver.push_tlv(TlvValue::MessagePayload(MessagePayload::new(octets)));
        return Some(deliver);
    }
    let mut deliver = deliver(phone, service, esm_class, segment.data_coding, segment.short_message())?;
    if let Some(part) = segment.part.filter(|_| segment.header.is_empty()) {
        deliver.push_tlv(TlvValue::SarMsgRefNum(part.reference));
        deliver.push_tlv(TlvValue::SarTotalSegments(part.total));
        deliver.push_tlv(TlvValue::SarSegmentSeqnum(part.number));
    }
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

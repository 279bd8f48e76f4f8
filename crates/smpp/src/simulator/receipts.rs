//! What a centre delivers: receipts and phones' replies, as deliver_sm.

use std::str::FromStr;

use rusmpp::pdus::DeliverSm;
use rusmpp::tlvs::MessageDeliveryRequestTlvValue as TlvValue;
use rusmpp::types::{COctetString, OctetString};
use rusmpp::values::{DataCoding, EsmClass, MessageState, Npi, Ton};

use crate::address::Address;
use crate::short_message::UDH_INDICATOR;
use crate::text::Segment;

/// esm_class of a delivery receipt (SMPP 3.4 section 5.2.12).
const RECEIPT: u8 = 0x04;

/// The receipt for a delivered text (SMPP 3.4 appendix B), from the phone to the service; `None` if an
/// address does not fit.
pub(super) fn receipt(message_id: &str, phone: &Address, service: &Address, at_ms: i64) -> Option<DeliverSm> {
    let at = jiff::Timestamp::from_millisecond(at_ms).ok()?.strftime("%y%m%d%H%M");
    let text = format!(
        "id:{message_id} sub:001 dlvrd:001 submit date:{at} done date:{at} stat:DELIVRD err:000 text:"
    );
    let mut deliver = deliver(phone, service, RECEIPT, 0x00, text.into_bytes())?;
    deliver.push_tlv(TlvValue::ReceiptedMessageId(COctetString::from_str(message_id).ok()?));
    deliver.push_tlv(TlvValue::MessageState(MessageState::Delivered));
    Some(deliver)
}

/// One part of a phone's text to a service; `None` if an address does not fit.
pub(super) fn reply(phone: &Address, service: &Address, segment: &Segment) -> Option<DeliverSm> {
    let esm_class = if segment.header.is_empty() { 0 } else { UDH_INDICATOR };
    deliver(phone, service, esm_class, segment.data_coding, segment.short_message())
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

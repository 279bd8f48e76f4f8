//! Delivery receipts: TLVs first, then the text's usual layouts (SMPP 3.4 appendix B).

use crate::address::Address;
use crate::short_message::{ShortMessage, c_string, tag};

/// A centre's word on what became of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The message id as the centre wrote it; see [`crate::fold_message_id`].
    pub message_id: String,
    /// What became of the text.
    pub state: ReceiptState,
    /// The phone, which was the text's destination.
    pub source: Address,
    /// The service, which was the text's source.
    pub destination: Address,
    /// The centre's own error code, if it gave one other than zeros.
    pub error: Option<String>,
}

/// What became of a text (SMPP 3.4 section 5.2.28).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReceiptState {
    /// On its way.
    Enroute,
    /// On the phone.
    Delivered,
    /// Not delivered within its validity period.
    Expired,
    /// Withdrawn.
    Deleted,
    /// Cannot be delivered.
    Undeliverable,
    /// Taken by the centre or read on the subscriber's behalf; most centres mean "on its way".
    Accepted,
    /// The centre does not know, or named a state that nobody knows.
    Unknown,
    /// Rejected by the centre or the network.
    Rejected,
}

impl ReceiptState {
    /// Says whether nothing more is to come. `Accepted` and `Unknown` are not final here: centres send them
    /// on the way and correct them later, and a text that stays there ends with its validity period.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Delivered | Self::Expired | Self::Deleted | Self::Undeliverable | Self::Rejected)
    }

    fn from_tlv(value: u8) -> Self {
        match value {
            // 0 is SCHEDULED and 9 SKIPPED in SMPP 5.0.
            0 | 1 => Self::Enroute,
            2 => Self::Delivered,
            3 => Self::Expired,
            4 => Self::Deleted,
            5 | 9 => Self::Undeliverable,
            6 => Self::Accepted,
            8 => Self::Rejected,
            _ => Self::Unknown,
        }
    }

    fn from_text(stat: &str) -> Self {
        let stat = stat.to_ascii_uppercase();
        // Centres write seven letters, or the whole word, or cut it elsewhere.
        let begins = |word: &str| stat.starts_with(word);
        match () {
            () if begins("DELIV") => Self::Delivered,
            () if begins("EXPIR") => Self::Expired,
            () if begins("DELET") || begins("CANCEL") => Self::Deleted,
            () if begins("UNDEL") || begins("FAIL") => Self::Undeliverable,
            () if begins("ACCEP") => Self::Accepted,
            () if begins("REJEC") => Self::Rejected,
            () if begins("ENROUTE") || begins("BUFFER") || begins("SCHED") => Self::Enroute,
            () => Self::Unknown,
        }
    }
}

impl Receipt {
    /// Reads a receipt; `None` if neither TLVs nor text name a message id.
    pub(crate) fn read(message: &ShortMessage) -> Option<Self> {
        let (_, octets) = message.text()?;
        // Receipts are ASCII in all but name; UCS-2 happens, anything else is read octet by octet.
        let text = match message.data_coding {
            0x08 => crate::text::decode(0x08, octets)?,
            _ => octets.iter().copied().map(char::from).collect(),
        };
        let fields = Fields::read(&text);
        let message_id = message
            .tlv(tag::RECEIPTED_MESSAGE_ID)
            .and_then(|value| c_string(value))
            .filter(|id| !id.is_empty())
            .or_else(|| fields.id.map(str::to_owned))?;
        let state = match message.tlv(tag::MESSAGE_STATE).and_then(|value| value.first().copied()) {
            Some(state) => ReceiptState::from_tlv(state),
            None => fields.stat.map_or(ReceiptState::Unknown, ReceiptState::from_text),
        };
        let error = fields.err.filter(|err| err.chars().any(|c| c != '0')).map(str::to_owned);
        Some(Self {
            message_id,
            state,
            source: message.source.clone(),
            destination: message.destination.clone(),
            error,
        })
    }
}

/// The fields of a receipt's text that matter here.
#[derive(Debug, Default, PartialEq)]
struct Fields<'a> {
    id: Option<&'a str>,
    stat: Option<&'a str>,
    err: Option<&'a str>,
}

impl<'a> Fields<'a> {
    /// Reads `id:… stat:… err:…` in any order and case, with `:` or `=`, spaces around it or none, and
    /// spaces, commas, semicolons or lines between. Stops at `text:`, whose words are the subscriber's.
    fn read(text: &'a str) -> Self {
        let mut fields = Self::default();
        let mut rest = text;
        while let Some(at) = rest.find([':', '=']) {
            let (before, after) = rest.split_at(at);
            let name =
                before.rsplit(is_between).find(|word| !word.is_empty()).unwrap_or("").to_ascii_lowercase();
            let after = after.get(1..).unwrap_or("").trim_start_matches([' ', '"', '\'']);
            let value = after.split(is_between).next().unwrap_or("");
            let slot = match name.as_str() {
                "text" => break,
                "id" | "msgid" | "message_id" | "messageid" => &mut fields.id,
                "stat" | "state" | "status" => &mut fields.stat,
                "err" | "error" => &mut fields.err,
                // A date may hold colons; the words after it are looked at all the same.
                _ => {
                    rest = after;
                    continue;
                }
            };
            if slot.is_none() && !value.is_empty() && !value.contains([':', '=']) {
                *slot = Some(value);
                rest = after.get(value.len()..).unwrap_or("");
            } else {
                rest = after;
            }
        }
        fields
    }
}

fn is_between(c: char) -> bool {
    c.is_whitespace() || matches!(c, ',' | ';' | '"' | '\'' | '\0' | '|')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_layouts_seen_in_the_field_read() {
        let whole = (Some("0123456789"), Some("DELIVRD"), Some("000"));
        for (text, expected) in [
            (
                "id:0123456789 sub:001 dlvrd:001 submit date:2601010000 done date:2601010001 stat:DELIVRD err:000 text:hi",
                whole,
            ),
            ("ID:0123456789 SUB:001 DLVRD:001 STAT:DELIVRD ERR:000 TEXT:", whole),
            ("id: 0123456789 stat: DELIVRD err: 000", whole),
            ("id=0123456789,stat=DELIVRD,err=000", whole),
            ("id:0123456789;stat:DELIVRD;err:000;", whole),
            ("id:0123456789\nstat:DELIVRD\nerr:000\n", whole),
            ("stat:DELIVRD err:000 id:0123456789", whole),
            ("id:\"0123456789\" stat:\"DELIVRD\" err:\"000\"", whole),
            ("id:0123456789 submit date:26-01-01 00:00:00 stat:DELIVRD err:000", whole),
            ("message_id:0123456789 status:DELIVRD error:000\0", whole),
            ("id:0123456789 sub:001 stat:DELIVRD", (Some("0123456789"), Some("DELIVRD"), None)),
            ("id:1 text:stat:REJECTD", (Some("1"), None, None)),
            ("id:1 stat: err:005", (Some("1"), None, Some("005"))),
            ("hello", (None, None, None)),
            ("", (None, None, None)),
        ] {
            let fields = Fields::read(text);
            assert_eq!((fields.id, fields.stat, fields.err), expected, "{text}");
        }
    }

    #[test]
    fn states_read_in_every_spelling() {
        for (stat, state) in [
            ("DELIVRD", ReceiptState::Delivered),
            ("delivered", ReceiptState::Delivered),
            ("UNDELIV", ReceiptState::Undeliverable),
            ("EXPIRED", ReceiptState::Expired),
            ("DELETED", ReceiptState::Deleted),
            ("REJECTD", ReceiptState::Rejected),
            ("ACCEPTD", ReceiptState::Accepted),
            ("ENROUTE", ReceiptState::Enroute),
            ("UNKNOWN", ReceiptState::Unknown),
            ("MK:0001", ReceiptState::Unknown),
        ] {
            assert_eq!(ReceiptState::from_text(stat), state, "{stat}");
        }
    }

    #[test]
    fn what_may_still_change_is_not_final() {
        for state in [ReceiptState::Enroute, ReceiptState::Accepted, ReceiptState::Unknown] {
            assert!(!state.is_final());
        }
        assert!(ReceiptState::Delivered.is_final() && ReceiptState::Rejected.is_final());
    }

    proptest! {
        #[test]
        fn no_text_makes_reading_panic(text in ".{0,200}|[a-z:= ;,]{0,200}") {
            let _ = Fields::read(&text);
        }
    }
}

//! Messages to people. Source: TMF681 4.0.0, `CommunicationMessage`.

use domain::Msisdn;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::common::null_as_default;
use crate::paths;

/// A message, and how far it has come.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct CommunicationMessage {
    /// The id.
    #[serde(deserialize_with = "null_as_default")]
    pub id: String,
    /// Where it can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub href: Option<String>,
    /// What it says, while that is kept and may be shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether to keep a log of it; every message is logged here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_flag: Option<bool>,
    /// `SMS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_type: Option<String>,
    /// How urgent it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<String>,
    /// When it was handed to the centre.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub send_time: Option<Timestamp>,
    /// When the centre had taken it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub send_time_complete: Option<Timestamp>,
    /// A title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// `purpose` and `delivery` of a text, in our words; and what the caller wrote.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub characteristic: Vec<Value>,
    /// To whom.
    #[serde(deserialize_with = "null_as_default")]
    pub receiver: Vec<Receiver>,
    /// From whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender: Option<Sender>,
    /// A word of [`MessageState`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The name of this shape.
    #[serde(rename = "@type", skip_serializing_if = "Option::is_none")]
    pub type_name: Option<String>,
}

/// To whom a message goes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Receiver {
    /// An id of the caller's; an E.164 number is one to send to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// A name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The number, E.164.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
}

impl Receiver {
    /// Somebody with a number.
    pub fn of(number: Msisdn) -> Self {
        Self { phone_number: Some(number.e164()), ..Self::default() }
    }

    /// The number to send to, if there is one.
    pub fn number(&self) -> Option<Msisdn> {
        let given = self.phone_number.as_deref().or(self.id.as_deref())?;
        Msisdn::parse_e164(given).ok()
    }
}

/// From whom a message comes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Sender {
    /// An id of the caller's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// A name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The address that the phone shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
}

/// Sends a message.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CommunicationMessageCreate(pub CommunicationMessage);

/// How far a message has come. Source: TMF681 4.0.0, `CommunicationMessageStateType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MessageState {
    /// It waits to be sent.
    Initial,
    /// It is on its way.
    InProgress,
    /// Every receiver has it.
    Completed,
    /// Some receiver does not get it.
    Failed,
}

impl MessageState {
    /// The word in the document.
    pub fn word(self) -> &'static str {
        match self {
            Self::Initial => "initial",
            Self::InProgress => "inProgress",
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }

    /// How far a message has come whose receivers stand there: under way while any is, else failed where any is.
    pub fn of_all(states: &[Self]) -> Self {
        let any = |state| states.contains(&state);
        match () {
            () if states.is_empty() => Self::Failed,
            () if states.iter().all(|state| *state == Self::Initial) => Self::Initial,
            () if any(Self::Initial) || any(Self::InProgress) => Self::InProgress,
            () if any(Self::Failed) => Self::Failed,
            () => Self::Completed,
        }
    }
}

impl CommunicationMessage {
    /// Where a message can be read.
    pub fn href_of(id: &str) -> String {
        format!("{}{}/{id}", paths::COMMUNICATION, paths::COMMUNICATION_MESSAGE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_as_far_as_its_receivers() {
        use MessageState::*;
        for (states, whole) in [
            (&[][..], Failed),
            (&[Initial, Initial], Initial),
            (&[Initial, Failed], InProgress),
            (&[Completed, InProgress], InProgress),
            (&[Completed, Failed], Failed),
            (&[Completed, Completed], Completed),
        ] {
            assert_eq!(MessageState::of_all(states), whole, "{states:?}");
        }
    }

    #[test]
    fn a_receiver_without_a_number_is_nobody_to_send_to() {
        let receiver = |json: &str| serde_json::from_str::<Receiver>(json).unwrap().number();
        assert!(receiver(r#"{"phoneNumber":"+8613800138001"}"#).is_some());
        assert!(receiver(r#"{"id":"+8613800138001","party":{"id":"x"}}"#).is_some());
        for nobody in ["{}", r#"{"phoneNumber":"0"}"#, r#"{"phoneNumber":"x","id":"+8613800138001"}"#] {
            assert_eq!(receiver(nobody), None, "{nobody}");
        }
    }
}

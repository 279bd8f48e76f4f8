//! The texts that the platform writes.

use domain::ids::{ProductOrderId, TextId};
use domain::world::after_seconds;
use store::StoreError;
use store::platform::Customer;
use store::texts::{NewText, TextPurpose};

use super::Desk;

/// A receipt that comes days late still tells the truth.
const RECEIPT_S: i64 = 3 * 86_400;
/// An answer to a text that comes later than this only confuses.
const NOTICE_S: i64 = 3_600;
/// Notices to one phone in an hour: two machines that answer each other must come to an end.
const NOTICES_HOUR_MAX: i64 = 5;

impl Desk<'_, '_> {
    /// Writes a receipt: something began, ended, or came to nothing.
    pub(crate) fn receipt(&mut self, to: &Customer, body: String) -> Result<(), StoreError> {
        self.text(TextPurpose::Receipt, to, body, RECEIPT_S)
    }

    /// Answers a text, unless this phone has had enough answers lately.
    pub(crate) fn notice(&mut self, to: &Customer, body: String) -> Result<(), StoreError> {
        let hour_ago = after_seconds(self.world.now(), -NOTICE_S);
        let (lately, _) = self.tx.texts().count_since(to.key, TextPurpose::Notice, hour_ago)?;
        if lately >= NOTICES_HOUR_MAX {
            return Ok(());
        }
        self.text(TextPurpose::Notice, to, body, NOTICE_S)
    }

    fn text(
        &mut self,
        purpose: TextPurpose,
        to: &Customer,
        body: String,
        life_s: i64,
    ) -> Result<(), StoreError> {
        let text = NewText {
            id: TextId(self.world.uuid()),
            purpose,
            to: to.number,
            suffix: String::new(),
            body,
            not_after: after_seconds(self.world.now(), life_s),
            reference: None,
        };
        self.tx.texts().enqueue(&text)
    }

    /// Writes the text of a confirmation, which says when it was settled.
    pub(crate) fn confirmation_text(
        &mut self,
        id: TextId,
        to: &Customer,
        suffix: &str,
        body: String,
        not_after: jiff::Timestamp,
        order: ProductOrderId,
    ) -> Result<(), StoreError> {
        self.tx.texts().enqueue(&NewText {
            id,
            purpose: TextPurpose::Confirmation,
            to: to.number,
            suffix: suffix.to_owned(),
            body,
            not_after,
            reference: Some(order.to_string()),
        })
    }
}

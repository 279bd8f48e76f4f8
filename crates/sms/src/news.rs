//! What becomes of texts, told as it happens: for a command line that watches one link.

use domain::Msisdn;
use domain::ids::TextId;
use smpp::ReceiptState;
use store::texts::TextState;
use tokio::sync::mpsc;

/// One thing that has happened. What concerns a text out is told once it is written down.
pub enum News {
    /// A sending has had an outcome.
    Sent(Sending),
    /// A text came in, was ours and no copy, and is stored.
    Text {
        /// From which phone.
        from: Msisdn,
        /// To which of our addresses.
        to: String,
        /// What it says.
        body: String,
    },
    /// A receipt came in, whether its text is known here or not.
    Receipt {
        /// The message id as the centre wrote it.
        message_id: String,
        /// What became of the text.
        state: ReceiptState,
    },
}

/// Where a text stands after a sending, a receipt, or the end of its time.
pub struct Sending {
    /// Which text.
    pub id: TextId,
    /// Where it stands: queued, when it is to be sent again.
    pub state: TextState,
    /// What the centre calls its parts, as it wrote them; empty unless it has just taken them.
    pub message_ids: Vec<String>,
    /// Why it was not taken, if it was not.
    pub error: Option<String>,
}

/// Where news go; nowhere, unless somebody listens.
#[derive(Clone, Default)]
pub(crate) struct Teller(pub(crate) Option<mpsc::UnboundedSender<News>>);

impl Teller {
    /// Tells whoever listens; somebody who has gone misses it.
    pub(crate) fn tell(&self, news: impl FnOnce() -> News) {
        if let Some(listener) = &self.0 {
            let _ = listener.send(news());
        }
    }

    /// Tells where a text stands.
    pub(crate) fn stands(&self, id: TextId, state: TextState, error: Option<String>) {
        self.tell(|| News::Sent(Sending { id, state, message_ids: Vec::new(), error }));
    }
}

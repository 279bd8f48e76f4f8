//! Writing down what became of a text.

use domain::ids::TextId;
use jiff::Timestamp;
use smpp::fold_message_id;
use store::StoreError;
use store::failpoints::{self, Point};
use store::texts::{OutboundText, ReceiptTaken, TextState};

use crate::centre::Centre;
use crate::news::{News, Sending};
use crate::persist::{count, insist, tell};
use crate::role::Room;

impl Room {
    /// Writes down that the centre has all parts, under the message ids of its answers, and whatever
    /// receipts came before that.
    pub(crate) async fn accepted(&self, centre: &Centre, id: TextId, answered: Vec<String>) {
        self.progress.forget(id);
        let message_ids: Vec<_> =
            answered.iter().map(|id| fold_message_id(id, centre.config.answer_ids)).collect();
        let (account, world, ids) = (centre.account.clone(), self.world.clone(), message_ids.clone());
        let accepted = insist(&self.store, "accept", move |tx| {
            let accepted = tx.texts().accept(id, &account, &ids)?;
            if let Some(text) = &accepted {
                tell(tx, text, world.now())?;
            }
            Ok(accepted)
        });
        if let Some(text) = accepted.await.flatten() {
            count(&text);
            self.teller
                .tell(|| News::Sent(Sending { id, state: text.state, message_ids: answered, error: None }));
        }
        // Nobody waits here for an error.
        let _ = failpoints::pass(Point::OutcomeWritten).await;
        // A receipt parks before it looks for its text, so one that did not find it is here by now.
        for message_id in message_ids {
            if let Some(delivered) = centre.parked.take(&message_id) {
                self.receipt_of_accepted(centre, message_id, delivered).await;
            }
        }
    }

    /// Writes down the parked receipts of texts that another process has sent.
    pub(crate) async fn unpark(&self, centre: &Centre) -> Result<(), StoreError> {
        let (waiting, account) = (centre.parked.waiting(self.world.now()), centre.account.clone());
        if waiting.is_empty() {
            return Ok(());
        }
        let read = move |view: &mut store::View<'_>| {
            let mut known = Vec::new();
            for message_id in &waiting {
                if view.texts().knows_message_id(&account, message_id)? {
                    known.push(message_id.clone());
                }
            }
            Ok::<_, StoreError>(known)
        };
        for message_id in self.store.read(read).await? {
            if let Some(delivered) = centre.parked.take(&message_id) {
                self.receipt_of_accepted(centre, message_id, delivered).await;
            }
        }
        Ok(())
    }

    async fn receipt_of_accepted(&self, centre: &Centre, message_id: String, delivered: bool) {
        let (account, world) = (centre.account.clone(), self.world.clone());
        let taken = insist(&self.store, "receipt", move |tx| {
            let taken = tx.texts().receive_receipt(&account, &message_id, delivered)?;
            if let ReceiptTaken::Settled(text) = &taken {
                tell(tx, text, world.now())?;
            }
            Ok(taken)
        });
        if let Some(ReceiptTaken::Settled(text)) = taken.await {
            count(&text);
            self.teller.stands(text.id, text.state, None);
        }
    }

    /// Writes down that a text has come to its end without the centre having taken it.
    pub(crate) async fn settled(&self, text: &OutboundText, state: TextState, why: Option<String>) {
        let (id, sending) = (text.id, text.sending);
        self.progress.forget(id);
        let world = self.world.clone();
        let settled = insist(&self.store, "settle", move |tx| {
            let settled = tx.texts().settle(id, sending, state)?;
            if let Some(text) = &settled {
                tell(tx, text, world.now())?;
            }
            Ok(settled)
        });
        if let Some(text) = settled.await.flatten() {
            count(&text);
            self.teller.stands(id, state, why);
        }
    }

    /// Puts a text back into the queue.
    pub(crate) async fn requeued(&self, text: &OutboundText, at: Timestamp, counted: bool, why: String) {
        let (id, sending) = (text.id, text.sending);
        insist(&self.store, "requeue", move |tx| match counted {
            true => tx.texts().requeue(id, sending, at),
            false => tx.texts().requeue_uncounted(id, sending, at),
        })
        .await;
        self.teller.stands(id, TextState::Queued, Some(why));
    }
}

//! Acting on a text that came in (M12).

use domain::confirmation::{Answer, Reply, Waiting, is_way_back, read_reply};
use domain::decision::Way;
use domain::funnel::FunnelStep;
use domain::ids::ProductOrderId;
use domain::locale::Locale;
use domain::order::{OrderState, Reason};
use domain::texts;
use domain::world::after_seconds;
use store::platform::{ConfirmationOutcome, ConfirmationRow, Customer, OrderRow};
use store::texts::InboundText;

use super::{Asked, Desk};
use crate::refusal::Refusal;

impl Desk<'_, '_> {
    /// Reads a text and does what it says.
    pub(crate) fn read_text(&mut self, text: &InboundText) -> Result<(), Refusal> {
        // A stranger's number is not kept because they texted us.
        let known = self.tx.platform().find_customer(text.key)?;
        let stranger = Customer { key: text.key, number: text.from, locale: Locale::default() };
        let customer = known.unwrap_or(stranger);
        let limit_s = self.config.confirmation_time_limit_s;
        let since = after_seconds(text.received, -2 * limit_s);
        let recent = self.tx.platform().list_confirmations(customer.key, since)?;
        let open: Vec<&ConfirmationRow> = recent
            .iter()
            .filter(|row| row.outcome == ConfirmationOutcome::Open && text.received <= row.deadline)
            .collect();
        let own_sender = |row: &ConfirmationRow| {
            text.destination.ends_with(&format!("{}{}", self.config.sender, row.suffix))
        };
        let waiting: Vec<Waiting<ProductOrderId>> = open
            .iter()
            .map(|row| Waiting { order: row.order, code: row.code.clone(), addressed: own_sender(row) })
            .collect();
        if let Some(place) = place_in_list(&text.body).filter(|_| !waiting.iter().any(|one| one.addressed)) {
            return self.end_listed(&customer, place);
        }
        // Where a prompt was answered before, QX is a copy of that answer.
        let undoes = is_way_back(&text.body) && waiting.is_empty() && !recent.iter().any(own_sender);
        if undoes && self.take_way_back(&customer, text.received)? {
            return Ok(());
        }
        let reply = read_reply(&text.body, &self.config.answer, &waiting);
        // An answer to an order that has ended, by its code or by its own sender, is none to another.
        let to_ended = recent.iter().any(|row| row.outcome != ConfirmationOutcome::Open && own_sender(row))
            && !waiting.iter().any(|one| one.addressed);
        if !matches!(reply, Reply::Confirm(_)) && (to_ended || self.is_code_of_ended(&text.body, &recent)) {
            return self.unplaced(&text.body, &recent, &customer);
        }
        if let Reply::Confirm(order) | Reply::Declined(order) | Reply::Mismatch(order) = reply {
            self.prove_replied(order, text)?;
        }
        match reply {
            Reply::Confirm(order) => self.confirm(order, &customer),
            Reply::Declined(order) => self.decline(order, Reason::UserDeclined),
            Reply::Mismatch(order) => self.mismatch(order, &customer),
            Reply::AskForCode => self.ask_for_code(&waiting, &customer),
            Reply::Help => Ok(self.notice(&customer, texts::help(customer.locale).to_owned())?),
            Reply::Unsubscribe => self.list_products(&customer),
            Reply::Unplaced => self.unplaced(&text.body, &recent, &customer),
        }
    }

    /// Whether a text carries the code of an order that has ended.
    fn is_code_of_ended(&self, body: &str, recent: &[ConfirmationRow]) -> bool {
        let ended = recent.iter().filter(|row| row.outcome != ConfirmationOutcome::Open);
        let ended: Vec<_> =
            ended.map(|row| Waiting { order: (), code: row.code.clone(), addressed: false }).collect();
        matches!(self.config.answer, Answer::Code)
            && matches!(read_reply(body, &self.config.answer, &ended), Reply::Confirm(()))
    }

    /// The right answer: the service starts, unless it is no longer what the text said.
    fn confirm(&mut self, id: ProductOrderId, customer: &Customer) -> Result<(), Refusal> {
        let Some(mut order) = self.pending(id)? else { return Ok(()) };
        self.funnel(FunnelStep::Replied, &order)?;
        let offering = match &order.offering {
            Some(offering) => self.tx.platform().find_offering(offering)?,
            None => None,
        };
        let today = self.world.now().to_zoned(self.config.zone.clone()).date();
        let unchanged = offering.filter(|(offering, provider)| {
            let same = offering.active && Some(offering.version) == order.version;
            same && domain::decision::way(provider, today) == Ok(Way::Confirm)
        });
        let Some((offering, _)) = unchanged else { return self.cancel(&mut order, Reason::OfferingChanged) };
        // What the subscriber has, and what it costs, may have changed since the order was taken.
        if let Err(reason) = self.preset(customer, &offering, order.version, Some(id))? {
            return self.cancel(&mut order, reason);
        }
        if let Err(reason) = self.check_group_of(&order, customer.key, &offering)? {
            return self.cancel(&mut order, reason);
        }
        self.close(id, ConfirmationOutcome::Confirmed)?;
        self.move_order(&mut order, OrderState::InProgress, None)?;
        if self.is_told(&offering) {
            return self.ask_provider(&mut order, customer, &offering);
        }
        self.complete_add(&mut order, customer, &offering, Way::Confirm)
    }

    fn decline(&mut self, id: ProductOrderId, reason: Reason) -> Result<(), Refusal> {
        let Some(mut order) = self.pending(id)? else { return Ok(()) };
        self.funnel(FunnelStep::Replied, &order)?;
        self.cancel(&mut order, reason)
    }

    fn mismatch(&mut self, id: ProductOrderId, customer: &Customer) -> Result<(), Refusal> {
        self.tx.platform().count_attempt(id)?;
        let attempts = self.tx.platform().find_confirmation(id)?.map_or(0, |row| row.attempts);
        if attempts >= self.config.attempts {
            return self.decline(id, Reason::ConfirmationMismatch);
        }
        Ok(self.notice(customer, texts::ask_for_code(customer.locale).to_owned())?)
    }

    /// A bare yes is answered once for each order it may have meant, then no more.
    fn ask_for_code(
        &mut self,
        waiting: &[Waiting<ProductOrderId>],
        customer: &Customer,
    ) -> Result<(), Refusal> {
        let mut first = false;
        for one in waiting {
            first |= self.tx.platform().mark_asked(one.order)?;
        }
        if first {
            self.notice(customer, texts::ask_for_code(customer.locale).to_owned())?;
        }
        Ok(())
    }

    /// Nothing waits for this text. A copy of the answer that confirmed is passed over in silence; after
    /// an order that ended otherwise the person is told so; anybody else is told what can be done.
    fn unplaced(
        &mut self,
        body: &str,
        recent: &[ConfirmationRow],
        customer: &Customer,
    ) -> Result<(), Refusal> {
        let over: Vec<_> = recent
            .iter()
            .map(|row| Waiting { order: row.outcome, code: row.code.clone(), addressed: false })
            .collect();
        let meant = match read_reply(body, &self.config.answer, &over) {
            Reply::Confirm(ConfirmationOutcome::Confirmed) => return Ok(()),
            Reply::Confirm(outcome) | Reply::Declined(outcome) | Reply::Mismatch(outcome) => Some(outcome),
            _ => recent.last().map(|row| row.outcome),
        };
        let notice = match meant {
            Some(ConfirmationOutcome::Open | ConfirmationOutcome::Ended) => texts::expired(customer.locale),
            Some(ConfirmationOutcome::Confirmed) | None => texts::help(customer.locale),
        };
        Ok(self.notice(customer, notice.to_owned())?)
    }

    fn list_products(&mut self, customer: &Customer) -> Result<(), Refusal> {
        let live = self.tx.platform().list_live_products(customer.key)?;
        let mut names = Vec::new();
        for product in &live {
            let offering = self.tx.platform().find_offering(&product.offering)?;
            let name = offering.map(|(offering, _)| offering.name.text(customer.locale).to_owned());
            names.push(name.unwrap_or_else(|| product.offering.to_string()));
        }
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let ids: Vec<_> = live.iter().map(|product| product.id).collect();
        self.tx.platform().put_listed(customer.key, &ids)?;
        Ok(self.notice(customer, texts::unsubscribe_list(customer.locale, &names))?)
    }

    /// Ends what stands at a place of the list that the person was shown, through an order like any
    /// other; a place that is not there shows the list again.
    fn end_listed(&mut self, customer: &Customer, place: usize) -> Result<(), Refusal> {
        let listed = self.tx.platform().load_listed(customer.key)?;
        let Some(product) = place.checked_sub(1).and_then(|index| listed.get(index).copied()) else {
            return self.list_products(customer);
        };
        let live = self.tx.platform().list_live_products(customer.key)?;
        if !live.iter().any(|row| row.id == product) {
            return self.list_products(customer);
        }
        let order = tmf::ProductOrderCreate {
            external_id: None,
            channel: vec![tmf::Channel { id: "sms".to_owned(), name: None }],
            ..tmf::ProductOrderCreate::delete("", customer.number, &product.to_string())
        };
        self.take(&Asked::read(&order)?)?;
        Ok(())
    }

    /// The order, if it still waits for its answer.
    fn pending(&mut self, id: ProductOrderId) -> Result<Option<OrderRow>, Refusal> {
        let order = self.tx.platform().find_order(id)?;
        Ok(order.filter(|order| order.state == OrderState::Pending))
    }
}

/// The place in `TD2` or `退订2`, however it is written.
fn place_in_list(body: &str) -> Option<usize> {
    let narrow = |c: char| match c {
        '０'..='９' | 'Ａ'..='Ｚ' | 'ａ'..='ｚ' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        c => c,
    };
    let text: String = body.chars().map(narrow).filter(|c| !c.is_whitespace()).collect();
    let text = text.to_uppercase();
    let digits = text.strip_prefix("TD").or_else(|| text.strip_prefix("退订"))?;
    let digits = digits.trim_end_matches(['.', '。', '!', '！', ';', '；']);
    // Two digits: a longer run is not a place in a list that fits a text.
    let good = (1..=2).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|_| good)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_the_list_is_read_however_it_is_written() {
        for (body, place) in
            [("TD2", Some(2)), ("td 2", Some(2)), ("ＴＤ２", Some(2)), ("退订12。", Some(12))]
        {
            assert_eq!(place_in_list(body), place, "{body}");
        }
        for body in ["TD", "退订", "TD4827", "4827", "TDx", "2"] {
            assert_eq!(place_in_list(body), None, "{body}");
        }
    }
}

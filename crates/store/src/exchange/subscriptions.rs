//! The subscribed services of those who allow it, in step with the platform.

use domain::catalogue::OfferingId;
use domain::ids::SubscriptionId;
use domain::key::ContactKey;
use domain::locale::Locale;
use domain::order::ProductState;
use jiff::Timestamp;

use super::{Card, ExchangeTx, ExchangeView};
use crate::error::StoreError;
use crate::sql::{Row, params};

/// What the platform says of one product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductNews {
    /// The platform's id.
    pub product: String,
    /// What it is a subscription to.
    pub offering: OfferingId,
    /// Where it stands.
    pub state: ProductState,
    /// Since when.
    pub since: Timestamp,
    /// What an order from its share names; opaque, the platform's own.
    pub referral: Option<String>,
}

/// One subscription of one's own.
#[derive(Debug, Clone)]
pub struct Subscription {
    /// The id.
    pub id: SubscriptionId,
    /// The platform's id.
    pub product: String,
    /// The offering's id.
    pub offering: OfferingId,
    /// The card, once the catalogue has been heard of.
    pub card: Option<Card>,
    /// Where it stands.
    pub state: ProductState,
    /// Since when.
    pub since: Timestamp,
    /// Whether it is shared.
    pub shared: bool,
}

impl Subscription {
    /// Its name on the card; the offering's id while there is no card.
    pub fn name(&self, locale: Locale) -> &str {
        self.card.as_ref().map_or(self.offering.as_str(), |card| card.offering.name.text(locale))
    }

    /// Whether it may be shown to others: active, known, and not of a sensitive kind.
    pub fn is_shareable(&self) -> bool {
        self.state == ProductState::Active && self.card.as_ref().is_some_and(|card| !card.offering.sensitive)
    }
}

impl ExchangeTx<'_> {
    /// Brings one subscription in step; one that is no longer live goes, and its share with it.
    ///
    /// # Errors
    /// The store's.
    pub fn put_subscription(&mut self, owner: ContactKey, news: &ProductNews) -> Result<(), StoreError> {
        if !news.state.is_live() {
            return self.drop_subscription(owner, &news.product);
        }
        self.view.sql.execute(
            "INSERT INTO subscription (id, owner, product, offering, status, since, referral)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (product) DO UPDATE SET status = excluded.status, referral = excluded.referral
               WHERE subscription.status <> excluded.status
                 OR subscription.referral IS DISTINCT FROM excluded.referral",
            params![
                self.world.uuid(),
                owner,
                news.product.as_str(),
                news.offering.as_str(),
                news.state.word(),
                news.since,
                news.referral.as_deref(),
            ],
        )?;
        Ok(())
    }

    /// Brings all of a person's subscriptions in step with the platform's whole list.
    ///
    /// # Errors
    /// The store's.
    pub fn replace_subscriptions(
        &mut self,
        owner: ContactKey,
        all: &[ProductNews],
    ) -> Result<(), StoreError> {
        for known in self.view.list_subscriptions(owner)? {
            if !all.iter().any(|news| news.product == known.product) {
                self.drop_subscription(owner, &known.product)?;
            }
        }
        all.iter().try_for_each(|news| self.put_subscription(owner, news))
    }

    /// Forgets all of a person's subscriptions and shares.
    ///
    /// # Errors
    /// The store's.
    pub fn forget_subscriptions(&mut self, owner: ContactKey) -> Result<(), StoreError> {
        self.replace_subscriptions(owner, &[])
    }

    /// Erases what the exchange keeps of a person: subscriptions, shares, events, first answers, and
    /// what links orders to them.
    ///
    /// # Errors
    /// The store's.
    pub fn erase_person(&mut self, key: ContactKey) -> Result<(), StoreError> {
        self.forget_subscriptions(key)?;
        for sql in [
            "DELETE FROM share_audience WHERE friend = $1",
            "DELETE FROM share_seen WHERE viewer = $1",
            "DELETE FROM event WHERE owner = $1",
            "UPDATE event SET friend = -1, data = '{}' WHERE friend = $1",
            "DELETE FROM idempotency WHERE owner = $1",
            "DELETE FROM exchange_order WHERE orderer = $1",
            "DELETE FROM subscriptions_compared WHERE key = $1",
            "UPDATE funnel SET person = NULL WHERE person = $1",
            "UPDATE funnel SET friend = NULL WHERE friend = $1",
        ] {
            self.view.sql.execute(sql, params![key])?;
        }
        Ok(())
    }

    fn drop_subscription(&mut self, owner: ContactKey, product: &str) -> Result<(), StoreError> {
        let row = self.view.sql.query_one(
            "DELETE FROM subscription WHERE owner = $1 AND product = $2 RETURNING id",
            params![owner, product],
        )?;
        row.map_or(Ok(()), |row| self.unshare(SubscriptionId(row.uuid(0)?)).map(drop))
    }
}

impl ExchangeView<'_> {
    /// A person's subscriptions, the oldest first.
    ///
    /// # Errors
    /// The store's.
    pub fn list_subscriptions(&mut self, owner: ContactKey) -> Result<Vec<Subscription>, StoreError> {
        let rows = self.sql.query(
            "SELECT u.id, u.product, u.offering, c.body, u.status, u.since, s.no FROM subscription u
             LEFT JOIN card c ON c.offering = u.offering LEFT JOIN share s ON s.subscription = u.id
             WHERE u.owner = $1 ORDER BY u.since, u.id",
            params![owner],
        )?;
        rows.iter().map(read_subscription).collect()
    }

    /// One subscription of a person.
    ///
    /// # Errors
    /// The store's.
    pub fn find_subscription(
        &mut self,
        owner: ContactKey,
        id: SubscriptionId,
    ) -> Result<Option<Subscription>, StoreError> {
        let row = self.sql.query_one(
            "SELECT u.id, u.product, u.offering, c.body, u.status, u.since, s.no FROM subscription u
             LEFT JOIN card c ON c.offering = u.offering LEFT JOIN share s ON s.subscription = u.id
             WHERE u.owner = $1 AND u.id = $2",
            params![owner, id.0],
        )?;
        row.as_ref().map(read_subscription).transpose()
    }

    /// What the platform wants an order from a share to name; `None` where it has given no such reference.
    ///
    /// # Errors
    /// The store's.
    pub fn find_referral(&mut self, share: i64) -> Result<Option<String>, StoreError> {
        let row = self.sql.query_one(
            "SELECT u.referral FROM share s JOIN subscription u ON u.id = s.subscription WHERE s.no = $1",
            params![share],
        )?;
        row.map_or(Ok(None), |row| Ok(row.opt_text(0)?.map(str::to_owned)))
    }

    /// Whether an offering's card is known.
    ///
    /// # Errors
    /// The store's.
    pub fn has_card(&mut self, offering: &OfferingId) -> Result<bool, StoreError> {
        let row = self.sql.query_one("SELECT 1 FROM card WHERE offering = $1", params![offering.as_str()])?;
        Ok(row.is_some())
    }
}

fn read_subscription(row: &Row) -> Result<Subscription, StoreError> {
    Ok(Subscription {
        id: SubscriptionId(row.uuid(0)?),
        product: row.text(1)?.to_owned(),
        offering: read_offering(row.text(2)?)?,
        card: row.opt_text(3)?.map(Card::read).transpose()?,
        state: ProductState::parse(row.text(4)?)
            .ok_or_else(|| StoreError::damaged("a product in no known state"))?,
        since: row.time(5)?,
        shared: row.opt_int(6)?.is_some(),
    })
}

pub(super) fn read_offering(text: &str) -> Result<OfferingId, StoreError> {
    OfferingId::parse(text).map_err(|_| StoreError::damaged("an offering id of the wrong form"))
}

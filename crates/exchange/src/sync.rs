//! Jobs that bring the exchange's copies in step with the platform: first load by paging.

use std::future::Future;
use std::pin::Pin;

use domain::consent::Consent;
use domain::key::ContactKey;
use domain::limits;
use domain::world::after_seconds;
use jiff::Timestamp;
use serde::Deserialize;
use store::exchange::{Card, ProductNews};
use store::jobs::{Handler, Job, JobFailed, JobKind, Outcome};
use store::{StoreError, Tx};
use tmf::Product;

use crate::Exchange;

/// The longest reference kept of a product.
const REFERRAL_CHARS_MAX: usize = 256;

/// Items asked for at once.
const PAGE: usize = 100;

type Run<'a> = Pin<Box<dyn Future<Output = Result<Outcome, JobFailed>> + Send + 'a>>;

/// Brings one subscriber's subscriptions in step.
pub(crate) struct Subscriptions(pub(crate) Exchange);

impl Handler for Subscriptions {
    fn run<'a>(&'a self, job: &'a Job) -> Run<'a> {
        Box::pin(self.0.sync_subscriptions(job))
    }
}

/// Brings the catalogue in step.
pub(crate) struct Catalogue(pub(crate) Exchange);

impl Handler for Catalogue {
    fn run<'a>(&'a self, job: &'a Job) -> Run<'a> {
        Box::pin(self.0.sync_catalogue(job))
    }
}

#[derive(Deserialize)]
struct About {
    key: u64,
}

impl Exchange {
    async fn sync_subscriptions(&self, job: &Job) -> Result<Outcome, JobFailed> {
        let About { key } = job.payload()?;
        let key = ContactKey::from_value(key);
        let read = move |view: &mut store::View<'_>| -> Result<_, StoreError> {
            let allowed = view.contacts().has_consent(key, Consent::Subscriptions)?;
            let erasing = view.jobs().is_waiting(JobKind::EraseCustomer, &key.value().to_string())?;
            Ok((view.contacts().find_subscriber(key)?.filter(|_| allowed), erasing))
        };
        let (Some(subscriber), erasing) = self.store.read(read).await? else { return Ok(Outcome::Done) };
        if erasing {
            // They left and came back: what the platform has not yet erased is not to be seen again.
            return Ok(Outcome::Later(after_seconds(self.world.now(), 1)));
        }
        let mut all = Vec::new();
        let mut asked = 0;
        loop {
            let page = self.platform.list_products(subscriber.number, asked, PAGE).await;
            let (products, total) = page
                .map_err(|error| JobFailed::new("the platform did not list a customer's products", error))?;
            asked += products.len();
            refuse_endless(asked, limits::SYNC_PRODUCTS_MAX)?;
            let done = products.is_empty() || asked >= total;
            all.extend(products.iter().filter_map(read_product));
            if done {
                break;
            }
        }
        let now = self.world.now();
        let job = job.clone();
        let write = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
            // The number may have got a new owner while the platform listed what the former one had.
            let same = tx.contacts().find_proof(key)?.is_some_and(|proof| proof.id == subscriber.id);
            if same && tx.contacts().has_consent(key, Consent::Subscriptions)? {
                tx.exchange().replace_subscriptions(key, &all)?;
                tx.exchange().mark_subscriptions_compared(key)?;
                ask_for_cards(tx, &all, now)?;
            }
            tx.jobs().finish(&job)
        };
        self.store.write(write).await?;
        Ok(Outcome::Finished)
    }

    async fn sync_catalogue(&self, job: &Job) -> Result<Outcome, JobFailed> {
        let mut asked = 0;
        loop {
            let page = self.platform.list_offerings(asked, PAGE).await;
            let (offerings, total) =
                page.map_err(|error| JobFailed::new("the platform did not list its offerings", error))?;
            asked += offerings.len();
            refuse_endless(asked, limits::SYNC_OFFERINGS_MAX)?;
            let done = offerings.is_empty() || asked >= total;
            let cards: Vec<Card> = offerings.iter().filter_map(read_card).collect();
            let job = job.clone();
            let write = move |tx: &mut Tx<'_>| {
                // A page that was read long ago must not come over what another run has read since.
                tx.jobs().hold(&job)?;
                cards.iter().try_for_each(|card| tx.exchange().put_card(card))
            };
            self.store.write::<_, StoreError, _>(write).await?;
            if done {
                // Once more in time: the event of a change may have been lost.
                let next = after_seconds(self.world.now(), limits::COMPARE_SUBSCRIBERS_S);
                return Ok(Outcome::Later(next));
            }
        }
    }
}

/// A platform that gives the same page again and again would be asked for ever.
fn refuse_endless(asked: usize, most: i64) -> Result<(), JobFailed> {
    if asked > limits::count(most) {
        return Err(JobFailed::new("the platform lists without end", format!("{asked} items")));
    }
    Ok(())
}

/// Asks for the catalogue when one of these products is of an offering whose card is not known.
pub(crate) fn ask_for_cards(
    tx: &mut Tx<'_>,
    products: &[ProductNews],
    now: Timestamp,
) -> Result<(), StoreError> {
    for news in products {
        if !tx.exchange().has_card(&news.offering)? {
            return tx.jobs().enqueue_topic(JobKind::SyncCatalogue, "all", &(), now);
        }
    }
    Ok(())
}

/// What a product says; one that cannot be read is passed over, with a word in the log.
pub(crate) fn read_product(product: &Product) -> Option<ProductNews> {
    let read = || {
        let since = product.start_date.unwrap_or(Timestamp::UNIX_EPOCH);
        let (offering, state) = (product.offering().ok()?, product.state().ok()?);
        if product.id.contains('\0') {
            return None;
        }
        // Opaque, but no book: a longer one would be a mistake.
        let fits = |text: &&str| text.len() <= REFERRAL_CHARS_MAX && !text.contains('\0');
        let referral = product.referral_reference().filter(fits).map(str::to_owned);
        Some(ProductNews { product: product.id.clone(), offering, state, since, referral })
    };
    let news = read();
    if news.is_none() {
        tracing::warn!("the platform told of a product that cannot be read; it was passed over");
    }
    news
}

/// The card of an offering; one that cannot be read is passed over, with a word in the log.
pub(crate) fn read_card(offering: &tmf::ProductOffering) -> Option<Card> {
    match offering.to_domain() {
        Ok((offering, provider)) => Some(Card { offering, provider }),
        Err(error) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the platform told of an offering that cannot be read"
            );
            None
        }
    }
}

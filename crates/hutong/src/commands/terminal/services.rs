//! Own services, friends, and what they share.

use std::time::Duration;

use api::feed::{FeedFilter, FeedItem};
use api::subscriptions::Audience;
use domain::consent::Consent;
use domain::ids::SubscriptionId;
use serde_json::json;
use terminal::{access, setting};

use super::account::ensure_consent;
use super::session::{Session, server_failure};
use crate::failure::Failure;

/// How often, and how far apart, the list is looked at after its consent was given: 3 seconds in all.
const FIRST_LOOKS: u32 = 12;
const FIRST_PAUSE: Duration = Duration::from_millis(250);

pub(super) async fn friends(session: &Session) -> Result<(), Failure> {
    let friends = access::friends(&session.client()?).await.map_err(server_failure)?;
    session.print(&friends, |friends| match friends.as_slice() {
        [] => "Nobody matches yet: a match needs your number in their address book, and theirs in yours.\n"
            .to_owned(),
        friends => {
            friends.iter().map(|friend| format!("{}  since {}\n", friend.number, friend.since)).collect()
        }
    })
}

pub(super) async fn list(session: &Session) -> Result<(), Failure> {
    let client = session.client()?;
    let fresh = ensure_consent(&client, Consent::Subscriptions).await?;
    let mut services = setting::services(&client).await.map_err(server_failure)?;
    // After a consent given just now the list fills within moments.
    for _ in 0..if fresh { FIRST_LOOKS } else { 0 } {
        if !services.is_empty() {
            break;
        }
        tokio::time::sleep(FIRST_PAUSE).await;
        services = setting::services(&client).await.map_err(server_failure)?;
    }
    session.print(&services, |services| {
        let line = |one: &api::subscriptions::Subscription| {
            let shown = match (one.shared, one.shareable) {
                (true, _) => "shared",
                (false, true) => "not shared",
                (false, false) => "cannot be shared",
            };
            format!("{}  {}  {}, {shown}\n", one.id, one.name, one.status)
        };
        match services.as_slice() {
            [] => "No services are known yet; the list follows the operator within seconds.\n".to_owned(),
            services => services.iter().map(line).collect(),
        }
    })
}

pub(super) async fn share(session: &Session, id: SubscriptionId, only: Vec<String>) -> Result<(), Failure> {
    let audience = if only.is_empty() { Audience::Matches } else { Audience::Only(only) };
    let share = setting::share(&session.client()?, id, audience).await.map_err(server_failure)?;
    session.print(&share, |share| match &share.audience {
        Audience::Matches => "Shared with everybody who matches.\n".to_owned(),
        Audience::Only(numbers) => format!("Shared with {} people, while they match.\n", numbers.len()),
    })
}

pub(super) async fn unshare(session: &Session, id: SubscriptionId) -> Result<(), Failure> {
    setting::unshare(&session.client()?, id).await.map_err(server_failure)?;
    session.print(&json!({ "shared": false }), |_| "Nobody sees it any more.\n".to_owned())
}

pub(super) async fn feed(
    session: &Session,
    friend: Option<String>,
    offering: Option<String>,
) -> Result<(), Failure> {
    let filter = FeedFilter { friend, offering };
    let items = access::feed(&session.client()?, &filter).await.map_err(server_failure)?;
    session.print(&items, |items| match items.as_slice() {
        [] => "Your friends share nothing with you just now.\n".to_owned(),
        items => items.iter().map(card).collect(),
    })
}

/// All that must stand on a card before anybody taps it.
pub(super) fn card(item: &FeedItem) -> String {
    let offering = &item.offering;
    let renews = if offering.renews { "renews itself" } else { "does not renew" };
    let mine = if item.mine { "  (you have it)" } else { "" };
    format!(
        "{} by {}{mine}\n  shared by {}; {} {} / {}, {renews}\n  {}\n  to cancel: {}\n  share {}\n",
        offering.name,
        offering.provider.name,
        item.friend,
        offering.price.amount,
        offering.price.currency,
        offering.price.period.word(),
        offering.terms,
        offering.how_to_cancel,
        item.share_id
    )
}

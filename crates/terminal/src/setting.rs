//! The setting unit: what the person has, and who may see it. Source: claim 25.

use api::subscriptions::{Audience, SetShare, Share, Subscription, Unsubscribing};
use domain::ids::SubscriptionId;

use crate::server::{Answer, ShareServer, all};

/// All the services that the person has.
///
/// # Errors
/// Those of the server.
pub async fn services(server: &impl ShareServer) -> Answer<Vec<Subscription>> {
    all(|cursor| async move { server.subscriptions(cursor.as_deref()).await }).await
}

/// Shows a service to all matches, or to named people while they match.
///
/// # Errors
/// Those of the server; `share/not-shareable` for a sensitive service.
pub async fn share(server: &impl ShareServer, id: SubscriptionId, audience: Audience) -> Answer<Share> {
    server.share(id, &SetShare { audience }).await
}

/// Hides a service again, at once.
///
/// # Errors
/// Those of the server.
pub async fn unshare(server: &impl ShareServer, id: SubscriptionId) -> Answer<()> {
    server.unshare(id).await
}

/// Ends a subscription; the answer names the order that does it.
///
/// # Errors
/// Those of the server.
pub async fn unsubscribe(server: &impl ShareServer, id: SubscriptionId) -> Answer<Unsubscribing> {
    server.unsubscribe(id).await
}

//! Calling by HTTP: `POST /provisioning` with an `Idempotency-Key`.

use std::sync::Arc;
use std::time::Duration;

use domain::limits;
use domain::provisioning::ProvisioningCall;
use futures::FutureExt;
use futures::future::BoxFuture;
use tmf::Transport;

use super::{Provisioning, ProvisioningMessage};
use crate::outbound::{NotTaken, Outbound};

/// A provider behind an HTTP interface.
pub struct Webhook(Outbound);

impl Webhook {
    /// A webhook over a transport that knows its address, its token and its patience.
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        let wait = Duration::from_secs(limits::PROVISIONING_ANSWER_S_MAX.unsigned_abs());
        Self(Outbound::new(transport, wait))
    }
}

impl Provisioning for Webhook {
    fn call<'a>(&'a self, call: &'a ProvisioningCall) -> BoxFuture<'a, Result<(), NotTaken>> {
        async move { self.0.hand_over("/provisioning", &call.key, &ProvisioningMessage::from(call)).await }
            .boxed()
    }
}

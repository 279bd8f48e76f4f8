//! What is forgotten once nothing needs it any more: a little at a time, so that nobody waits for it.

use std::pin::Pin;

use domain::limits;
use domain::world::{World, after_seconds};
use jiff::Timestamp;

use crate::error::StoreError;
use crate::jobs::{Handler, Job, JobFailed, JobKind, Outcome};
use crate::roles::Role;
use crate::sql::params;
use crate::store::{Store, room};

room! {
    /// Reads nothing of its own.
    UpkeepView,
    /// Forgets what is past its time.
    UpkeepTx
}

/// How long what an operator may want to look at again is kept, in days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Texts out and in, once they are final and their bodies wiped.
    pub texts_days: i64,
    /// Steps from a share to a subscription.
    pub funnel_days: i64,
    /// Events that a listener at the hub has not been told.
    pub hub_events_days: i64,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            texts_days: limits::TEXTS_KEEP_DAYS,
            funnel_days: limits::FUNNEL_KEEP_DAYS,
            hub_events_days: limits::HUB_EVENTS_KEEP_DAYS,
        }
    }
}

const DAY_S: i64 = 86_400;

/// What is forgotten, for how long it is kept, and how.
struct Forgotten {
    table: &'static str,
    /// Who forgets it: whoever of them has the database, with the right to.
    roles: &'static [Role],
    kept_s: fn(&Retention) -> i64,
    /// `$1` is the moment before which nothing is needed, `$2` how many rows go at once.
    statement: &'static str,
}

const fn forgotten(
    table: &'static str,
    roles: &'static [Role],
    kept_s: fn(&Retention) -> i64,
    statement: &'static str,
) -> Forgotten {
    Forgotten { table, roles, kept_s, statement }
}

const fn evidence(table: &'static str, statement: &'static str) -> Forgotten {
    forgotten(table, &[Role::Platform], |_| limits::EVIDENCE_KEEP_DAYS * DAY_S, statement)
}

/// Where rows are numbered as time goes by, the lowest numbers are looked at, and no index on the time is
/// needed.
const FORGOTTEN: [Forgotten; 24] = [
    forgotten(
        "registration",
        &[Role::Contacts],
        |_| limits::REGISTRATION_KEEP_S,
        "DELETE FROM registration WHERE id IN (SELECT id FROM registration WHERE expires < $1 LIMIT $2)",
    ),
    forgotten(
        "limiter",
        &[Role::Contacts],
        |_| limits::LIMITER_KEEP_S,
        "DELETE FROM limiter WHERE id IN (SELECT id FROM limiter WHERE at < $1 LIMIT $2)",
    ),
    forgotten(
        "new_number_quota",
        &[Role::Contacts],
        // A bucket that is full is as good as none.
        |_| 0,
        "DELETE FROM new_number_quota WHERE subject IN (
           SELECT subject FROM new_number_quota WHERE full_at < $1 LIMIT $2)",
    ),
    forgotten(
        "idempotency",
        &[Role::Exchange],
        |_| limits::IDEMPOTENCY_KEEP_S,
        "DELETE FROM idempotency WHERE (owner, key) IN (
           SELECT owner, key FROM idempotency WHERE created < $1 LIMIT $2)",
    ),
    forgotten(
        "text_part",
        &[Role::Sms],
        |keep| keep.texts_days * DAY_S,
        "DELETE FROM text_part WHERE (account, message_id) IN (
           SELECT account, message_id FROM text_part WHERE at < $1 LIMIT $2)",
    ),
    forgotten(
        "text",
        &[Role::Sms],
        |keep| keep.texts_days * DAY_S,
        "DELETE FROM text WHERE id IN (
           SELECT id FROM text WHERE created < $1 AND state NOT IN ('queued', 'sent') LIMIT $2)",
    ),
    forgotten(
        "communication",
        &[Role::Platform],
        |keep| keep.texts_days * DAY_S,
        "DELETE FROM communication WHERE id IN (
           SELECT c.id FROM communication c WHERE c.created < $1
             AND NOT EXISTS (SELECT 1 FROM communication_text j JOIN text t ON t.id = j.text
                             WHERE j.communication = c.id) LIMIT $2)",
    ),
    forgotten(
        "communication_text",
        &[Role::Platform],
        |_| 0,
        "DELETE FROM communication_text WHERE CAST($1 AS BIGINT) >= 0 AND text IN (
           SELECT j.text FROM communication_text j LEFT JOIN communication c ON c.id = j.communication
           WHERE c.id IS NULL LIMIT $2)",
    ),
    forgotten(
        "inbox",
        &[Role::Sms],
        |keep| keep.texts_days * DAY_S,
        "DELETE FROM inbox WHERE id IN (SELECT id FROM inbox WHERE received < $1 LIMIT $2)",
    ),
    forgotten(
        "inbox_part",
        &[Role::Sms],
        |_| limits::INBOX_PARTS_KEEP_S,
        "DELETE FROM inbox_part WHERE fingerprint IN (
           SELECT fingerprint FROM inbox_part WHERE received < $1 LIMIT $2)",
    ),
    forgotten(
        "inbox_unread",
        &[Role::Sms],
        |_| limits::INBOX_UNREAD_KEEP_DAYS * DAY_S,
        "DELETE FROM inbox_unread WHERE id IN (SELECT id FROM inbox_unread WHERE received < $1 LIMIT $2)",
    ),
    forgotten(
        "event",
        &[Role::Exchange],
        |_| limits::EVENTS_KEEP_DAYS * DAY_S,
        "DELETE FROM event WHERE (owner, seq) IN (SELECT owner, seq FROM event WHERE at < $1 LIMIT $2)",
    ),
    forgotten(
        "funnel",
        &[Role::Exchange, Role::Platform],
        |keep| keep.funnel_days * DAY_S,
        "DELETE FROM funnel WHERE at < $1 AND id IN (SELECT id FROM funnel ORDER BY id LIMIT $2)",
    ),
    forgotten(
        "order_evidence",
        &[Role::Platform],
        |_| limits::EVIDENCE_KEEP_DAYS * DAY_S,
        "DELETE FROM order_evidence WHERE at < $1 AND seq IN (SELECT seq FROM order_evidence ORDER BY seq LIMIT $2)",
    ),
    forgotten(
        "hub_event",
        &[Role::Platform],
        |keep| keep.hub_events_days * DAY_S,
        "DELETE FROM hub_event WHERE at < $1 AND seq IN (SELECT seq FROM hub_event ORDER BY seq LIMIT $2)",
    ),
    forgotten(
        "erasure",
        &[Role::Contacts, Role::Platform],
        // That it was is kept: a journal's line is compared with it.
        |_| limits::ERASURE_WHO_KEEP_DAYS * DAY_S,
        "UPDATE erasure SET who = NULL WHERE (id, what) IN (
           SELECT id, what FROM erasure WHERE who IS NOT NULL AND at < $1 LIMIT $2)",
    ),
    forgotten(
        "former_customer_number",
        &[Role::Platform],
        |_| 0,
        "UPDATE former_customer SET number = NULL WHERE key IN (
           SELECT f.key FROM former_customer f WHERE f.number IS NOT NULL AND f.since <= $1
             AND NOT EXISTS (SELECT 1 FROM charge_event e WHERE e.customer = f.key AND e.delivered = 0)
             AND NOT EXISTS (SELECT 1 FROM provisioning c WHERE c.customer = f.key AND c.outcome = 'open') LIMIT $2)",
    ),
    // Evidence of former customers: in this order, so that no rule between rows is ever broken.
    evidence(
        "evidence_order_cancellation",
        "DELETE FROM order_cancellation WHERE id IN (
           SELECT c.id FROM former_customer f JOIN product_order o ON o.customer = f.key
           JOIN order_cancellation c ON c.product_order = o.id WHERE f.since < $1 LIMIT $2)",
    ),
    evidence(
        "evidence_confirmation",
        "DELETE FROM confirmation WHERE product_order IN (
           SELECT c.product_order FROM former_customer f JOIN confirmation c ON c.customer = f.key
           WHERE f.since < $1 LIMIT $2)",
    ),
    evidence(
        "evidence_product_order",
        "DELETE FROM product_order WHERE id IN (
           SELECT o.id FROM former_customer f JOIN product_order o ON o.customer = f.key
           WHERE f.since < $1 AND NOT EXISTS (SELECT 1 FROM order_cancellation c WHERE c.product_order = o.id)
           LIMIT $2)",
    ),
    evidence(
        "evidence_charge_event",
        "DELETE FROM charge_event WHERE id IN (
           SELECT e.id FROM former_customer f JOIN charge_event e ON e.customer = f.key
           WHERE f.since < $1 AND NOT EXISTS (SELECT 1 FROM product_order o WHERE o.customer = f.key) LIMIT $2)",
    ),
    evidence(
        "evidence_provisioning",
        "DELETE FROM provisioning WHERE seq IN (
           SELECT c.seq FROM former_customer f JOIN provisioning c ON c.customer = f.key
           WHERE f.since < $1 AND c.outcome <> 'open' LIMIT $2)",
    ),
    evidence(
        "evidence_product",
        "DELETE FROM product WHERE id IN (
           SELECT p.id FROM former_customer f JOIN product p ON p.customer = f.key
           WHERE f.since < $1 AND NOT EXISTS (SELECT 1 FROM charge_event e WHERE e.customer = f.key) LIMIT $2)",
    ),
    evidence(
        "evidence_former_customer",
        "DELETE FROM former_customer WHERE key IN (
           SELECT f.key FROM former_customer f WHERE f.since < $1
             AND NOT EXISTS (SELECT 1 FROM product p WHERE p.customer = f.key)
             AND NOT EXISTS (SELECT 1 FROM product_order o WHERE o.customer = f.key)
             AND NOT EXISTS (SELECT 1 FROM provisioning c WHERE c.customer = f.key)
             AND NOT EXISTS (SELECT 1 FROM charge_event e WHERE e.customer = f.key) LIMIT $2)",
    ),
];

impl UpkeepTx<'_> {
    /// Forgets up to `count` rows of the `which`th kind; answers how many.
    fn forget(&mut self, which: usize, before: Timestamp, count: i64) -> Result<u64, StoreError> {
        let Some(forgotten) = FORGOTTEN.get(which) else { return Ok(0) };
        self.view.sql.execute(forgotten.statement, params![before, count])
    }
}

/// The job that forgets; it never ends, and runs again after a while. Each role has its own, since each may touch its
/// own tables alone; one serves all processes of the role.
pub struct Upkeep {
    store: Store,
    world: World,
    keep: Retention,
    roles: Vec<Role>,
}

/// The job that forgets what is a role's.
pub fn job_of(role: Role) -> JobKind {
    match role {
        Role::Contacts => JobKind::UpkeepContacts,
        Role::Exchange => JobKind::UpkeepExchange,
        Role::Platform => JobKind::UpkeepPlatform,
        Role::Sms => JobKind::UpkeepTexts,
    }
}

impl Upkeep {
    /// The jobs of all roles over a store.
    pub fn new(store: Store, world: World, keep: Retention) -> Self {
        Self { store, world, keep, roles: Role::ALL.to_vec() }
    }

    /// The same, of one role alone.
    #[must_use]
    pub fn of(self, role: Role) -> Self {
        Self { roles: vec![role], ..self }
    }

    /// Forgets one portion of each kind; `true` when there is more.
    ///
    /// # Errors
    /// The store's.
    pub async fn portion(&self) -> Result<bool, StoreError> {
        let mut more = false;
        for (which, Forgotten { table, roles, kept_s, .. }) in FORGOTTEN.iter().enumerate() {
            if !roles.iter().any(|role| self.roles.contains(role)) {
                continue;
            }
            let before = after_seconds(self.world.now(), -kept_s(&self.keep));
            let count = limits::UPKEEP_ROWS_MAX;
            // A write of its own each: others come in between.
            let forget = move |tx: &mut crate::Tx<'_>| tx.upkeep().forget(which, before, count);
            let forgotten = self.store.write::<_, StoreError, _>(forget).await?;
            metrics::counter!("upkeep_rows_total", "table" => *table).increment(forgotten);
            more |= forgotten >= count.unsigned_abs();
            if *table == "hub_event" && forgotten > 0 {
                tracing::error!(
                    events = forgotten,
                    "a listener at the hub could not be told for so long that events were given up: \
                     look at the listener, and let it read anew what it keeps in step"
                );
            }
        }
        Ok(more)
    }
}

impl Handler for Upkeep {
    fn run<'a>(
        &'a self,
        _: &'a Job,
    ) -> Pin<Box<dyn Future<Output = Result<Outcome, JobFailed>> + Send + 'a>> {
        Box::pin(async move {
            let more = self.portion().await?;
            let pause_s = if more { 1 } else { limits::UPKEEP_EVERY_S };
            Ok(Outcome::Later(after_seconds(self.world.now(), pause_s)))
        })
    }
}

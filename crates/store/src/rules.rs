//! Rules that hold between rows whatever happens: what `hutong check` looks for beside damage.

use crate::error::StoreError;
use crate::sql::params;
use crate::store::View;

/// A rule, told by what breaks it, and how often that is found.
const RULES: &[(&str, &str)] = &[
    (
        "a completed order without exactly one charge for its activation",
        "SELECT COUNT(*) FROM product_order o WHERE o.action = 'add' AND o.state = 'completed' AND o.product IS NOT NULL
         AND (SELECT COUNT(*) FROM charge_event c WHERE c.product = o.product AND c.kind = 'activation') <> 1",
    ),
    (
        "a charge for an activation without its subscription",
        "SELECT COUNT(*) FROM charge_event c WHERE c.kind = 'activation'
         AND NOT EXISTS (SELECT 1 FROM product p WHERE p.id = c.product)",
    ),
    (
        "a live subscription without its claim",
        "SELECT COUNT(*) FROM product p WHERE p.state IN ('created', 'pendingActive', 'active', 'suspended', 'pendingTerminate')
         AND NOT EXISTS (SELECT 1 FROM product_claim c
           WHERE c.customer = p.customer AND c.offering = p.offering AND (c.product = p.id OR c.open_order IS NOT NULL))",
    ),
    (
        "a claim that nothing live holds",
        "SELECT COUNT(*) FROM product_claim c
         WHERE NOT EXISTS (SELECT 1 FROM product p WHERE p.id = c.product AND p.state NOT IN ('terminated', 'aborted', 'cancelled'))
         AND NOT EXISTS (SELECT 1 FROM product_order o WHERE o.id = c.open_order
           AND o.state NOT IN ('completed', 'partial', 'rejected', 'cancelled', 'failed'))",
    ),
    (
        "an order that waits for an answer to no question",
        "SELECT COUNT(*) FROM product_order o WHERE o.state = 'pending'
         AND NOT EXISTS (SELECT 1 FROM confirmation c WHERE c.product_order = o.id AND c.outcome = 'open')",
    ),
    (
        "a subscription that waits for a provider nobody will call",
        "SELECT COUNT(*) FROM product p WHERE p.state = 'pendingActive'
         AND NOT EXISTS (SELECT 1 FROM provisioning c
           WHERE c.product = p.id AND c.action = 'activate' AND c.outcome = 'open')",
    ),
    (
        "a member of a short-number group without a live subscription",
        "SELECT COUNT(*) FROM group_member m WHERE NOT EXISTS (SELECT 1 FROM product p WHERE p.id = m.product
           AND p.customer = m.customer AND p.state NOT IN ('terminated', 'aborted', 'cancelled'))",
    ),
    (
        "an order to be forwarded while nobody will forward one",
        "SELECT COUNT(*) FROM exchange_order o WHERE o.state = 'queued'
         AND (SELECT COUNT(*) FROM job j WHERE j.kind = 'forward_order' AND j.dead = 0)
           < (SELECT COUNT(*) FROM exchange_order q WHERE q.state = 'queued')",
    ),
    (
        "a share of a subscription that is not there",
        "SELECT COUNT(*) FROM share s WHERE NOT EXISTS (SELECT 1 FROM subscription p WHERE p.id = s.subscription)",
    ),
    (
        "a session of nobody",
        "SELECT COUNT(*) FROM session s WHERE NOT EXISTS (SELECT 1 FROM subscriber p WHERE p.key = s.key)",
    ),
];

impl View<'_> {
    /// The rules between rows that are broken, and how often each is; empty as it should be.
    ///
    /// # Errors
    /// The store's.
    pub fn broken_rules(&mut self) -> Result<Vec<(&'static str, i64)>, StoreError> {
        let mut broken = Vec::new();
        for (rule, sql) in RULES {
            let found = self.sql().query_one(sql, params![])?.map_or(Ok(0), |row| row.int(0))?;
            if found > 0 {
                broken.push((*rule, found));
            }
        }
        Ok(broken)
    }
}

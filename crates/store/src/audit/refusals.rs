//! Refused calls of the operator's interfaces.

use std::sync::{Mutex, PoisonError};

use domain::limits;
use domain::world::World;

use super::{Actor, AuditAction, AuditEntry};
use crate::error::StoreError;
use crate::store::Store;

/// Writes refused calls of one interface down. Those of strangers are written up to a limit a minute, and
/// beyond it counted: nobody without a token fills the disk.
pub struct Refusals {
    store: Store,
    world: World,
    strangers: Mutex<Minute>,
}

#[derive(Default)]
struct Minute {
    number: i64,
    written: i64,
    unwritten: u64,
}

impl Refusals {
    /// Those of one interface over a store.
    pub fn new(store: Store, world: World) -> Self {
        Self { store, world, strangers: Mutex::default() }
    }

    /// Writes a refused call down: the name of the token, or nobody's; the call without anything that its path
    /// names; the code of the refusal.
    pub async fn write(&self, operator: Option<&str>, call: &str, code: &'static str) {
        metrics::counter!("operator_refusals_total", "code" => code).increment(1);
        let unwritten = if operator.is_some() { Some(0) } else { self.take() };
        let Some(unwritten) = unwritten else { return };
        let name = operator.unwrap_or("nobody").to_owned();
        let mut entry = AuditEntry::new(Actor::Operator(name), AuditAction::Refused)
            .with("call", call)
            .with("code", code);
        if unwritten > 0 {
            entry = entry.with("unwritten_before", unwritten);
        }
        let written = self.store.write::<_, StoreError, _>(move |tx| tx.audit().append(&entry)).await;
        if let Err(error) = written {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "a refused call could not be written into the audit log");
        }
    }

    /// Whether the next one of a stranger is written, and then how many were not before it.
    fn take(&self) -> Option<u64> {
        let now = self.world.now().as_second().div_euclid(60);
        let mut minute = self.strangers.lock().unwrap_or_else(PoisonError::into_inner);
        if minute.number != now {
            (minute.number, minute.written) = (now, 0);
        }
        if minute.written >= limits::AUDIT_REFUSALS_MINUTE_MAX {
            minute.unwritten += 1;
            return None;
        }
        minute.written += 1;
        Some(std::mem::take(&mut minute.unwritten))
    }
}

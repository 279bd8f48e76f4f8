//! Every limit of the system, in one table; `hutong limits` prints it.

/// One limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Its name; the unit comes last.
    pub name: &'static str,
    /// Its value.
    pub value: i64,
    /// Why it is so.
    pub why: &'static str,
}

macro_rules! limits {
    ($($(#[$doc:meta])* $name:ident = $value:expr, $why:literal;)*) => {
        $(#[doc = $why] pub const $name: i64 = $value;)*

        /// The whole table.
        pub const ALL: &[Limit] = &[$(Limit { name: stringify!($name), value: $name, why: $why }),*];
    };
}

limits! {
    BODY_BYTES_MAX = 1 << 20, "A request body: 5,000 numbers of 20 characters fit ten times.";
    BACKUP_BYTES_MAX = 4 << 20, "An encrypted address book in the cloud.";
    BOOK_NUMBERS_MAX = 5_000, "Numbers in one book; phones hold 1,000 at most as a rule.";
    BOOK_NEW_NUMBERS_MAX = 10_000, "Numbers new to one subscriber's book at once; nobody's phone has more, and probing needs more.";
    BOOK_NEW_NUMBERS_HOUR = 6, "New numbers an hour once those are used up.";
    BOOK_RAW_CHARS_MAX = 256, "One raw number field of an upload.";
    PAGE_ITEMS_MAX = 500, "Items on one page of a list.";
    PAGE_ITEMS_DEFAULT = 100, "Items on a page when the caller does not say.";
    LIST_SCAN_MAX = 20_000, "Resources that a filter or a sort without an index looks through at the platform's faces.";
    AUDIENCE_NAMED_MAX = 500, "People named in one share's audience.";
    HIDDEN_MAX = 5_000, "People one subscriber hides: as many as a book holds.";
    SESSIONS_MAX = 20, "Devices signed in at once; the oldest is signed out.";
    IDEMPOTENCY_KEY_CHARS_MAX = 255, "An Idempotency-Key.";
    IDEMPOTENCY_KEEP_S = 86_400, "How long a first answer is repeated.";
    ORDER_WAIT_S_MAX = 30, "Longest wait of GET /v1/orders/{id}?wait_s=.";
    ORDERS_OPEN_MAX = 50, "Orders of one subscriber not yet ended.";
    SIGN_IN_CODE_S = 300, "A sign-in code's life.";
    SIGN_IN_TRIES_MAX = 5, "Wrong codes before a new one is needed.";
    SIGN_IN_TEXTS_NUMBER_MINUTE_MAX = 1, "Sign-in texts to one number in a minute.";
    SIGN_IN_TEXTS_NUMBER_HOUR_MAX = 5, "Sign-in texts to one number in an hour.";
    SIGN_IN_TEXTS_NUMBER_DAY_MAX = 20, "Sign-in texts to one number in 24 hours: no phone is flooded by others.";
    SIGN_IN_TEXTS_ADDRESS_HOUR_MAX = 60, "Sign-in texts asked for in an hour from one address: an IPv4 address, an IPv6 /64.";
    SIGN_IN_TEXTS_ALL_HOUR_MAX = 36_000, "Sign-in texts in an hour in all, whoever asks: what a centre granting 10 a second sends.";
    SIGN_IN_WRONG_NUMBER_DAY_MAX = 20, "Wrong codes for one number in 24 hours, over all codes: 20 guesses in a million are 2 in 100,000.";
    SIGN_IN_WRONG_ADDRESS_HOUR_MAX = 30, "Wrong codes in an hour from one address, over all numbers.";
    SIGN_IN_WRONG_ALL_HOUR_MAX = 6_000, "Wrong codes in an hour in all, over all numbers and addresses: 144,000 guesses in a million a day.";
    CONSENTS_GIVEN_MAX = 16, "Consents given while signing in: each of them, said a few times over.";
    REGISTRATION_KEEP_S = 86_400, "How long an attempt to sign in is kept after its code has ended.";
    NUMBER_CHECK_S_MAX = 5, "Longest wait for the network's word on a number.";
    NUMBER_AGING_S = 2_592_000, "No number is given to somebody else so soon after it was in use, 30 days: 90 in China, 45 in the USA (47 CFR 52.15).";
    NUMBER_HOLD_S = 86_400, "How long an old account is kept shut while the network gives no word on its number.";
    SIM_SWAP_HOURS = 72, "A SIM younger than that orders nothing that costs, unless configured otherwise.";
    SIM_CHECK_S_MAX = 900, "An order whose SIM cannot be asked about by then ends as failed.";
    TEXTS_KEEP_DAYS = 30, "How long texts are kept once they are final and wiped: receipts and complaints come within days.";
    INBOX_PARTS_KEEP_S = 3_600, "How long a part of a long text waits for the others: a phone sends them within seconds, a centre retries for longer.";
    INBOX_PARTS_PHONE_MAX = 255, "Parts of one phone that wait for others: as many as one text can have.";
    INBOX_UNREAD_MAX = 1_000, "Deliveries kept that nobody can read.";
    INBOX_UNREAD_KEEP_DAYS = 7, "How long those are kept: whoever mends the centre looks within days.";
    EVENTS_KEEP_DAYS = 30, "How long events are kept for a reconnecting stream.";
    FUNNEL_KEEP_DAYS = 730, "How long steps from a share to a subscription are kept: two years compare.";
    HUB_EVENTS_KEEP_DAYS = 30, "How long a listener at the hub may be away before its events are given up.";
    ERASURE_WHO_KEEP_DAYS = 30, "How long the database, sealed, knows whose an erasure was: by then every journal has it.";
    EVIDENCE_KEEP_DAYS = 1_095, "How long evidence of a confirmation stays, and orders and charges of a former customer under a pseudonym: 3 years (E-Commerce Law of China, article 31).";
    UPKEEP_EVERY_S = 600, "Pause between two rounds of forgetting what is past its time.";
    UPKEEP_ROWS_MAX = 500, "Rows of one kind forgotten in one write: a few milliseconds of the writer's time.";
    LIMITER_KEEP_S = 90_000, "How long limiters remember: an hour longer than their longest window, a day.";
    PLATFORM_UNREACHABLE_S = 900, "An order not forwarded by then ends as failed.";
    SYNC_PRODUCTS_MAX = 10_000, "Products that the platform may list for one customer.";
    SYNC_OFFERINGS_MAX = 200_000, "Offerings that the platform may list: more than any operator sells.";
    COMPARE_EVERY_S = 60, "Pause between two looks for what an event of the platform may have missed.";
    COMPARE_ORDERS_S = 300, "An open order of which nothing was heard or asked for so long is asked about.";
    COMPARE_GIVEN_UP_DAYS = 7, "How long an order given up as unreachable is asked about: the platform may have it.";
    COMPARE_SUBSCRIBERS_S = 86_400, "How often each subscriber's subscriptions are compared with the platform's.";
    COMPARE_BATCH = 100, "Orders, and subscribers, compared in one run.";
    CONFIRMATION_S_DEFAULT = 86_400, "Time to answer a confirmation text.";
    CONFIRMATION_ACCEPT_S = 3_600, "The centre must have taken a confirmation text by then.";
    CONFIRMATIONS_OPEN_MAX = 50, "Confirmations one phone can have open: each needs its own code and suffix.";
    MESSAGE_RECEIVERS_MAX = 100, "Receivers of one message that an operator has sent.";
    TEXT_CHARS_MAX = 1_000, "A text, before it is cut into parts.";
    TEXT_ATTEMPTS_MAX = 5, "Tries of one text after refusals that may pass.";
    TEXT_LEASE_S = 60, "A process that has not written by then what became of a text it took is taken for dead.";
    JOB_LEASE_S = 30, "A worker that has not finished a job by then has lost it.";
    JOB_BACKOFF_S_MAX = 60, "Longest pause between two tries of a job.";
    JOB_ATTEMPTS_MAX = 100, "Tries of a job before it is set aside for the operator.";
    EXPORT_ORDERS_MAX = 10_000, "Orders, and steps, in one export: the newest.";
    CONSENT_VERSION_CHARS_MAX = 64, "The version of a consent's text.";
    EVENTS_KEPT_MAX = 1_000, "Events of one subscriber kept for a reconnecting stream.";
    EVENTS_OF_FRIEND_KEPT_MAX = 50, "Events about one match kept in somebody's stream.";
    STREAMS_MAX = 4, "Event streams one subscriber holds open at one server process: what they cost is that process's own.";
    REQUEST_S_MAX = 60, "A request still running then is answered 503.";
    WRITE_QUEUE_MAX = 4_096, "Writes waiting for the embedded writer, of callers and of jobs each; more are answered 503.";
    WRITE_BATCH_MAX = 256, "Writes that share one durable commit.";
    SEED_BYTES_MAX = 256 << 20, "A seed file.";
    AUDIT_REFUSALS_MINUTE_MAX = 120, "Refused calls without a token written into the audit log in a minute; more are counted.";
    HUB_LISTENERS_MAX = 100, "Listeners at the platform's hub.";
    CATALOGUE_OFFERINGS_MAX = 100_000, "Offerings in the catalogue.";
    CHARGING_ANSWER_S_MAX = 5, "Longest wait for an answer of the charging system.";
    CHARGES_A_RUN_MAX = 5, "Charge events of one payer handed over in one run: their answers fit a job's lease.";
    CHARGE_BACKOFF_S_MAX = 300, "Longest pause between two tries of a charge event.";
    CHARGE_RECORD_BYTES_MAX = 256 << 20, "A charging system's record to reconcile with.";
    CHARGE_DIFFERENCES_SHOWN_MAX = 10_000, "Differences listed in one reconciliation; all are counted.";
    PAYER_ASK_S_MAX = 900, "A reply whose payer cannot be checked by then orders nothing.";
    RENEWALS_A_RUN_MAX = 64, "Renewals worked on before the timer looks again.";
    RENEWAL_LOOK_S = 60, "How often the timer of renewals looks, and pauses while a payer cannot be checked.";
    RENEWAL_RETRY_S = 86_400, "Pause between two tries to renew what its payer cannot pay.";
    RENEWAL_GRACE_S = 2_592_000, "A subscription suspended for so long without payment ends: 30 days.";
    PROVISIONING_S_MAX = 259_200, "An order whose provider has not started the service by then ends as failed: 72 hours.";
    PROVISIONING_ANSWER_S_MAX = 10, "Longest wait for a provider's answer: two in a row fit a job's lease.";
    PROVISIONING_CALLS_A_RUN_MAX = 16, "Calls to one provider made side by side in one run.";
    PROVISIONING_BACKOFF_S_MAX = 600, "Longest pause between two tries of a call to a provider.";
    GROUP_MEMBERS_MAX = 1_000, "Members of a short-number group: an office or a village, and its numbers are read in a moment.";
    WAY_BACK_S = 86_400, "The free way back from a service of the operator's own.";
}

/// A limit as a count.
pub const fn count(limit: i64) -> usize {
    limit as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_is_positive_and_named_once() {
        let mut names: Vec<_> = ALL.iter().map(|limit| limit.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
        assert!(ALL.iter().all(|limit| limit.value > 0 && limit.why.ends_with('.')));
    }
}

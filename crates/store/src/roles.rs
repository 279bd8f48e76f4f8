//! What each role may do in PostgreSQL, where roles are processes with users of their own.
//!
//! Everything else is refused by the database itself: whoever takes over the exchange's process cannot read
//! books, and the platform's cannot read shares.

/// A role, as the database tells one from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Registration, address books, matching.
    Contacts,
    /// Subscriptions, shares, orders.
    Exchange,
    /// Catalogue and decisions.
    Platform,
    /// Texts out and in.
    Sms,
}

impl Role {
    /// Each of them, in the order of the columns of [`RIGHTS`].
    pub const ALL: [Self; 4] = [Self::Contacts, Self::Exchange, Self::Platform, Self::Sms];

    /// Its name in the configuration.
    pub fn word(self) -> &'static str {
        match self {
            Self::Contacts => "contacts",
            Self::Exchange => "exchange",
            Self::Platform => "platform",
            Self::Sms => "sms",
        }
    }

    /// Reads its name back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }
}

/// What may be done to a table, by PostgreSQL's own letters and words.
pub(crate) const LETTERS: [(char, &str); 4] =
    [('r', "SELECT"), ('a', "INSERT"), ('w', "UPDATE"), ('d', "DELETE")];

/// What the roles may do to one table.
#[derive(Debug, Clone, Copy)]
pub struct Rights {
    /// The table.
    pub table: &'static str,
    letters: [&'static str; 4],
}

impl Rights {
    /// What a role may do: some of `r` read, `a` add, `w` change, `d` delete.
    pub fn of(&self, role: Role) -> &'static str {
        let [contacts, exchange, platform, sms] = self.letters;
        match role {
            Role::Contacts => contacts,
            Role::Exchange => exchange,
            Role::Platform => platform,
            Role::Sms => sms,
        }
    }
}

const fn table(table: &'static str, letters: [&'static str; 4]) -> Rights {
    Rights { table, letters }
}

/// Every table. Contacts may delete what an erasure takes, and read what a person may have shown of them; what it adds
/// to the exchange's tables is the event of a match.
pub const RIGHTS: [Rights; 54] = [
    //                            contacts  exchange  platform  sms
    table("schema_version", ["r", "r", "r", "r"]),
    table("meta", ["r", "r", "r", "r"]),
    table("erasure", ["raw", "r", "raw", ""]),
    table("job", ["rawd", "rawd", "rawd", "rawd"]),
    table("funnel", ["rw", "rad", "rawd", ""]),
    // Append-only: nobody may change or delete what was decided.
    table("audit", ["ra", "ra", "ra", ""]),
    table("audit_head", ["rw", "rw", "rw", ""]),
    table("audit_key", ["r", "r", "r", ""]),
    table("audit_person", ["rad", "ra", "rad", ""]),
    table("subscriber", ["rawd", "r", "r", ""]),
    table("registration", ["rawd", "", "", ""]),
    table("limiter", ["rawd", "", "", ""]),
    table("new_number_quota", ["rawd", "", "", ""]),
    table("session", ["rawd", "r", "", ""]),
    table("consent", ["rawd", "r", "r", ""]),
    table("book", ["rawd", "", "", ""]),
    table("matched", ["rawd", "r", "", ""]),
    table("hidden", ["rawd", "", "", ""]),
    table("backup", ["rawd", "", "", ""]),
    table("subscription", ["rd", "rawd", "", ""]),
    table("card", ["r", "rawd", "", ""]),
    table("share", ["rd", "rawd", "", ""]),
    table("share_audience", ["rd", "rawd", "", ""]),
    table("share_seen", ["rd", "rawd", "", ""]),
    table("exchange_order", ["rd", "rawd", "", ""]),
    table("subscriptions_compared", ["rd", "rawd", "", ""]),
    table("idempotency", ["rd", "rawd", "", ""]),
    table("event", ["rawd", "rawd", "", ""]),
    table("catalogue_provider", ["", "", "rawd", ""]),
    table("catalogue_offering", ["", "", "rawd", ""]),
    table("customer", ["", "", "rawd", ""]),
    table("former_customer", ["", "", "rawd", ""]),
    table("payer", ["", "", "rawd", ""]),
    table("product_order", ["", "", "rawd", ""]),
    table("product", ["", "", "rawd", ""]),
    table("product_claim", ["", "", "rawd", ""]),
    table("confirmation", ["", "", "rawd", ""]),
    table("order_evidence", ["", "", "rad", ""]),
    table("product_term", ["", "", "rawd", ""]),
    table("charge_event", ["", "", "rawd", ""]),
    table("provisioning", ["", "", "rawd", ""]),
    table("group_rules", ["", "", "rawd", ""]),
    table("group_member", ["", "", "rawd", ""]),
    table("order_cancellation", ["", "", "rawd", ""]),
    table("withdrawn", ["", "", "rawd", ""]),
    table("hub_listener", ["", "", "rawd", ""]),
    table("hub_event", ["", "", "rawd", ""]),
    table("text", ["raw", "", "raw", "rawd"]),
    table("text_part", ["", "", "r", "rawd"]),
    table("communication", ["rw", "", "rawd", ""]),
    table("communication_text", ["r", "", "rawd", ""]),
    table("inbox", ["rd", "", "rwd", "rawd"]),
    table("inbox_part", ["rd", "", "rd", "rawd"]),
    table("inbox_unread", ["rd", "", "rd", "rawd"]),
];

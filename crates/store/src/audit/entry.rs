//! What is written down: who did what to whom.

use domain::ids::{ProductId, ProductOrderId};
use domain::key::ContactKey;
use serde_json::{Map, Value};

macro_rules! actions {
    ($($(#[$doc:meta])* $action:ident = $word:literal;)*) => {
        /// What was done.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum AuditAction {
            $($(#[$doc])* $action,)*
        }

        impl AuditAction {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$action),*];

            /// The word at rest.
            pub fn word(self) -> &'static str {
                match self { $(Self::$action => $word,)* }
            }
        }
    };
}

actions! {
    /// A device was signed in.
    SignedIn = "signed_in";
    /// A device was signed out.
    SignedOut = "signed_out";
    /// An account was erased.
    Erased = "erased";
    /// A consent was given.
    ConsentGiven = "consent_given";
    /// A consent was taken back.
    ConsentTakenBack = "consent_taken_back";
    /// A subscription was shared.
    Shared = "shared";
    /// A share was taken back.
    Unshared = "unshared";
    /// Somebody was hidden.
    Hidden = "hidden";
    /// A hiding was taken back.
    Unhidden = "unhidden";
    /// An order was taken.
    OrderAccepted = "order_accepted";
    /// An order was refused.
    OrderRejected = "order_rejected";
    /// The second confirmation was asked for.
    OrderAsked = "order_asked";
    /// The right answer came.
    OrderConfirmed = "order_confirmed";
    /// Carrying an order out has stopped, and is tried again.
    OrderHeld = "order_held";
    /// An order was carried out.
    OrderCompleted = "order_completed";
    /// An order ended without effect.
    OrderCancelled = "order_cancelled";
    /// An order could not be carried out.
    OrderFailed = "order_failed";
    /// A subscription came into use.
    ProductActivated = "product_activated";
    /// A subscription went on to another state.
    ProductChanged = "product_changed";
    /// A subscription ended.
    ProductTerminated = "product_terminated";
    /// What is written beside an order was changed.
    OrderChanged = "order_changed";
    /// An order was deleted, and is shown at the faces no more.
    OrderWithdrawn = "order_withdrawn";
    /// A subscription was deleted, and is shown at the faces no more.
    ProductWithdrawn = "product_withdrawn";
    /// An operator had a text sent.
    MessageSent = "message_sent";
    /// What is written beside such a text was changed.
    MessageChanged = "message_changed";
    /// A text was deleted, and is shown at the faces no more.
    MessageWithdrawn = "message_withdrawn";
    /// A client of the operator's had a code sent to a number.
    CodeSent = "code_sent";
    /// A number was proven to a client of the operator's.
    CodeProven = "code_proven";
    /// A request at an operator's face was refused.
    Refused = "refused";
    /// A catalogue was seeded.
    Seeded = "seeded";
    /// A provider was designated.
    Designated = "designated";
    /// A designation was ended.
    DesignationEnded = "designation_ended";
    /// A number has a new owner.
    NewOwner = "new_owner";
    /// Dead letters were looked at.
    LettersRead = "letters_read";
    /// A dead letter was put back into the queue.
    LetterRetried = "letter_retried";
    /// A dead letter was given up.
    LetterRemoved = "letter_removed";
    /// Orders were looked at.
    OrdersRead = "orders_read";
    /// A bar was looked at.
    BarRead = "bar_read";
    /// A bar or a cap was set.
    BarSet = "bar_set";
    /// A bar and a cap were lifted.
    BarLifted = "bar_lifted";
    /// A refused charge event was put back on its way.
    ChargeRetried = "charge_retried";
    /// A charge was given back.
    ChargeReversed = "charge_reversed";
    /// The installation's keys were rotated.
    KeysRotated = "keys_rotated";
    /// Books were brought in bulk.
    BooksImported = "books_imported";
}

/// Who acted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// The person whom it concerns.
    Subscriber,
    /// The platform's own rules.
    Platform,
    /// Somebody at the machine itself, by a command.
    Local,
    /// An operator, by the name of their token.
    Operator(String),
}

impl Actor {
    /// As it stands in the log.
    pub fn word(&self) -> String {
        match self {
            Self::Subscriber => "subscriber".to_owned(),
            Self::Platform => "platform".to_owned(),
            Self::Local => "local".to_owned(),
            Self::Operator(name) => format!("operator/{name}"),
        }
    }
}

/// One entry before it has its place. What is added to it holds no number, code or token.
#[derive(Debug, Clone)]
pub struct AuditEntry {
    actor: Actor,
    action: AuditAction,
    pub(super) person: Option<ContactKey>,
    pub(super) order: Option<ProductOrderId>,
    pub(super) product: Option<ProductId>,
    pub(super) detail: Map<String, Value>,
}

impl AuditEntry {
    /// Somebody did something.
    pub fn new(actor: Actor, action: AuditAction) -> Self {
        Self { actor, action, person: None, order: None, product: None, detail: Map::new() }
    }

    /// A person did something about themselves.
    pub fn by(person: ContactKey, action: AuditAction) -> Self {
        Self::new(Actor::Subscriber, action).about(person)
    }

    /// Whom it concerns.
    #[must_use]
    pub fn about(mut self, person: ContactKey) -> Self {
        self.person = Some(person);
        self
    }

    /// Which order it concerns; the log holds a pseudonym of it.
    #[must_use]
    pub fn order(mut self, order: ProductOrderId) -> Self {
        self.order = Some(order);
        self
    }

    /// Which product it concerns; the log holds a pseudonym of it.
    #[must_use]
    pub fn product(mut self, product: ProductId) -> Self {
        self.product = Some(product);
        self
    }

    /// More about it.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.detail.insert(name.to_owned(), value.into());
        self
    }

    pub(super) fn action(&self) -> AuditAction {
        self.action
    }

    pub(super) fn actor_word(&self) -> String {
        self.actor.word()
    }
}

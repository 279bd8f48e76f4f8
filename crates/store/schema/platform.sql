-- The operator's catalogue. Texts by language are JSON objects.
CREATE TABLE catalogue_provider (
    id        TEXT PRIMARY KEY,
    kind      TEXT NOT NULL,      -- own, designated, other
    name      TEXT NOT NULL,
    from_day  TEXT,               -- first and last day of the designation, ISO 8601
    until_day TEXT
);

CREATE TABLE catalogue_offering (
    id            TEXT PRIMARY KEY,
    provider      TEXT NOT NULL,
    name          TEXT NOT NULL,
    hundredths    BIGINT NOT NULL,
    currency      TEXT NOT NULL,
    period        TEXT NOT NULL,
    renews        BIGINT NOT NULL,
    sensitive     BIGINT NOT NULL,
    active        BIGINT NOT NULL,
    terms         TEXT NOT NULL,
    how_to_cancel TEXT NOT NULL,
    conflicts     TEXT NOT NULL,   -- JSON array of offering ids
    version       BIGINT NOT NULL
);

-- Whoever orders or has something here; the number is sealed.
CREATE TABLE customer (
    key     BIGINT PRIMARY KEY,
    number  BYTEA NOT NULL,
    locale  TEXT NOT NULL,
    td_list TEXT NOT NULL          -- the products that TD last listed, JSON array of ids
);

-- A customer who is none any more: what stays of them as evidence stands under this key, which is no number's.
CREATE TABLE former_customer (
    key    BIGINT PRIMARY KEY,
    number BYTEA,                  -- sealed; only until every charge has been handed over
    since  BIGINT NOT NULL
);
CREATE INDEX former_customer_since ON former_customer (since);

CREATE TABLE payer (
    key     BIGINT PRIMARY KEY,
    barred  BIGINT NOT NULL,
    cap     BIGINT                 -- hundredths a month
);

-- An order (TM Forum: product order), as placed (sealed) and where it stands.
CREATE TABLE product_order (
    id          BYTEA PRIMARY KEY,
    external_id TEXT UNIQUE,
    customer    BIGINT,            -- NULL: the order named nobody with a number
    action      TEXT,
    offering    TEXT,
    version     BIGINT,            -- of the offering when the order was decided
    state       TEXT NOT NULL,
    reason      TEXT,
    open_order  BYTEA,             -- the order that stood in the way
    product     BYTEA,
    request     BYTEA NOT NULL,
    taken       BIGINT NOT NULL,
    changed     BIGINT NOT NULL
);
CREATE INDEX product_order_customer ON product_order (customer, id);

-- A subscription (TM Forum: product), with its price when it began.
CREATE TABLE product (
    id         BYTEA PRIMARY KEY,
    customer   BIGINT NOT NULL,
    offering   TEXT NOT NULL,
    state      TEXT NOT NULL,
    hundredths BIGINT NOT NULL,
    currency   TEXT NOT NULL,
    period     TEXT NOT NULL,
    since      BIGINT NOT NULL,
    ended      BIGINT
);
CREATE INDEX product_customer ON product (customer, id);

-- "Already has it": one row a subscriber and offering, held by the open order, then by the product.
CREATE TABLE product_claim (
    customer BIGINT NOT NULL,
    offering TEXT NOT NULL,
    open_order BYTEA,
    product  BYTEA,
    PRIMARY KEY (customer, offering)
);

-- A text with a code that waits, or waited, for its answer. The code is sealed.
CREATE TABLE confirmation (
    product_order BYTEA PRIMARY KEY,
    customer      BIGINT NOT NULL,
    code          BYTEA NOT NULL,
    suffix        TEXT NOT NULL,
    text          BYTEA NOT NULL,
    written       BIGINT NOT NULL,
    accept_by     BIGINT NOT NULL, -- the centre must have taken the text by then
    accepted      BIGINT,
    deadline      BIGINT NOT NULL, -- the answer counts until then
    attempts      BIGINT NOT NULL,
    asked         BIGINT NOT NULL, -- 1: a bare yes was answered once
    outcome       TEXT NOT NULL,   -- open, confirmed, ended
    closed        BIGINT
);
CREATE INDEX confirmation_customer ON confirmation (customer, written);

-- What proves how an order was confirmed, or not. Sealed; whose the order was, an erasure takes away.
CREATE TABLE order_evidence (
    seq           {serial},
    product_order BYTEA NOT NULL,
    kind          TEXT NOT NULL,   -- asked, accepted, undeliverable, replied
    body          BYTEA NOT NULL,
    at            BIGINT NOT NULL
);
CREATE INDEX order_evidence_order ON order_evidence (product_order);

-- The period that a product is in; the timer of renewals reads it.
CREATE TABLE product_term (
    product   BYTEA PRIMARY KEY,
    renews    BIGINT NOT NULL,     -- as the offering was when the product began
    anchor    BIGINT NOT NULL,     -- since when its periods are counted
    anchor_no BIGINT NOT NULL,     -- the number of the period that began there
    period_no BIGINT NOT NULL,     -- the one it is in
    due       BIGINT NOT NULL,     -- when that one ends
    look_at   BIGINT NOT NULL,     -- when the timer looks at it next
    refused   BIGINT               -- since when its payer was refused
);
CREATE INDEX product_term_look ON product_term (look_at);

-- One row for each activation, renewal and reversal; the port to the charging system reads it.
CREATE TABLE charge_event (
    id         BYTEA PRIMARY KEY,
    product    BYTEA NOT NULL,
    customer   BIGINT NOT NULL,
    payer_no   BIGINT NOT NULL,    -- 1, 2, 3 for each customer: the order of handing over
    offering   TEXT NOT NULL,
    kind       TEXT NOT NULL,      -- activation, renewal, reversal
    period_no  BIGINT NOT NULL,    -- 0 for the activation
    hundredths BIGINT NOT NULL,
    currency   TEXT NOT NULL,
    at         BIGINT NOT NULL,
    delivered  BIGINT NOT NULL,
    reverses   BYTEA UNIQUE,       -- the event that a reversal gives back
    refused    BIGINT NOT NULL,    -- 1: the charging system will not have it; the operator must look
    tries      BIGINT NOT NULL,
    UNIQUE (product, kind, period_no),
    UNIQUE (customer, payer_no)
);
CREATE INDEX charge_event_open ON charge_event (customer, payer_no) WHERE delivered = 0;

-- One row for each call to a provider: to start a service, or to stop it. It is made until it is answered.
CREATE TABLE provisioning (
    seq           {serial},
    key           TEXT NOT NULL UNIQUE, -- the idempotency key
    provider      TEXT NOT NULL,
    action        TEXT NOT NULL,        -- activate, stop
    product       BYTEA NOT NULL,
    customer      BIGINT NOT NULL,
    offering      TEXT NOT NULL,
    product_order BYTEA,                -- NULL: no order is behind it
    reverses      TEXT,                 -- the key of the start that a stop undoes
    at            BIGINT NOT NULL,
    due           BIGINT NOT NULL,      -- when it is made next
    tries         BIGINT NOT NULL,      -- made without an answer that counts
    outcome       TEXT NOT NULL,        -- open, done, refused, dropped
    UNIQUE (product, action)
);
CREATE INDEX provisioning_due ON provisioning (provider, due) WHERE outcome = 'open';
CREATE INDEX provisioning_customer ON provisioning (customer, offering);

-- An offering that is membership of a short-number group: who orders a friend's joins that group.
CREATE TABLE group_rules (
    offering    TEXT PRIMARY KEY,
    digits      BIGINT NOT NULL,   -- of a short number
    members_max BIGINT NOT NULL
);

-- Who is in which group, for as long as their product lives.
CREATE TABLE group_member (
    product      BYTEA PRIMARY KEY,
    customer     BIGINT NOT NULL UNIQUE, -- one group a person
    offering     TEXT NOT NULL,
    group_id     TEXT NOT NULL,
    short_number TEXT NOT NULL,
    reference    TEXT NOT NULL UNIQUE,   -- of chance: what an order names that wants into the same group
    UNIQUE (group_id, short_number)
);

CREATE TABLE order_cancellation (
    id            BYTEA PRIMARY KEY,
    product_order BYTEA NOT NULL,
    why           TEXT,
    state         TEXT NOT NULL,
    at            BIGINT NOT NULL
);
CREATE INDEX order_cancellation_order ON order_cancellation (product_order);

-- What was deleted at the platform's faces, and is shown there no more; the row itself stays as evidence.
CREATE TABLE withdrawn (
    id BYTEA PRIMARY KEY,
    at BIGINT NOT NULL
);

-- Who is told of events, at which interface's hub.
CREATE TABLE hub_listener (
    id        BYTEA PRIMARY KEY,
    interface TEXT NOT NULL,
    callback  BYTEA NOT NULL,   -- sealed: its end may be a secret
    query     TEXT NOT NULL,
    same      BYTEA NOT NULL,   -- keyed hash of callback and query
    created   BIGINT NOT NULL,
    UNIQUE (interface, same)
);

-- What a listener has not yet been told, in order; the body is sealed.
CREATE TABLE hub_event (
    seq      {serial},
    listener BYTEA NOT NULL,
    id       BYTEA NOT NULL,
    kind     TEXT NOT NULL,
    body     BYTEA NOT NULL,
    at       BIGINT NOT NULL
);
CREATE INDEX hub_event_listener ON hub_event (listener, seq);

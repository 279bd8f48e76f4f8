-- What a subscriber who allows it has subscribed to, in step with the platform.
CREATE TABLE subscription (
    id       BYTEA PRIMARY KEY,
    owner    BIGINT NOT NULL,
    product  TEXT NOT NULL,      -- the platform's id
    offering TEXT NOT NULL,
    status   TEXT NOT NULL,
    since    BIGINT NOT NULL,
    referral TEXT,               -- what an order from its share names, where the platform has said so
    UNIQUE (product)
);
CREATE INDEX subscription_owner ON subscription (owner, offering);

-- The catalogue as the cards show it, in step with the platform.
CREATE TABLE card (
    offering  TEXT PRIMARY KEY,
    version   BIGINT NOT NULL,
    body      TEXT NOT NULL,     -- JSON: offering and provider
    sensitive BIGINT NOT NULL
);

CREATE TABLE share (
    no           BIGINT PRIMARY KEY,   -- of the moment and of chance, never counted up
    subscription BYTEA NOT NULL UNIQUE,
    owner        BIGINT NOT NULL,
    named        BIGINT NOT NULL,   -- 1: only those in share_audience; 0: every match
    since        BIGINT NOT NULL
);
CREATE INDEX share_owner ON share (owner);

CREATE TABLE share_audience (
    share  BIGINT NOT NULL,
    friend BIGINT NOT NULL,
    PRIMARY KEY (share, friend)
) {clustered};
CREATE INDEX share_audience_friend ON share_audience (friend);

-- Which shares stood in somebody's feed, and which were opened: the funnel counts each once.
CREATE TABLE share_seen (
    share  BIGINT NOT NULL,
    viewer BIGINT NOT NULL,
    opened BIGINT NOT NULL,
    PRIMARY KEY (share, viewer)
) {clustered};
CREATE INDEX share_seen_viewer ON share_seen (viewer);

CREATE TABLE exchange_order (
    id             BYTEA PRIMARY KEY,
    orderer        BIGINT NOT NULL,
    action         TEXT NOT NULL,
    offering       TEXT NOT NULL,
    version        BIGINT,          -- of the offering, as on the card
    product        TEXT,            -- to unsubscribe from
    share          BIGINT,          -- where it came from
    state          TEXT NOT NULL,
    reason         TEXT,
    cancel         BIGINT NOT NULL DEFAULT 0,  -- 1: the subscriber wants it cancelled
    platform_order TEXT,
    platform_time  BIGINT NOT NULL, -- of the newest news from the platform
    compared       BIGINT NOT NULL, -- when the platform was last asked about it
    created        BIGINT NOT NULL,
    changed        BIGINT NOT NULL
);
CREATE INDEX exchange_order_orderer ON exchange_order (orderer, id);
CREATE INDEX exchange_order_platform ON exchange_order (platform_order);
CREATE INDEX exchange_order_compared ON exchange_order (compared)
  WHERE (state IN ('forwarded', 'awaiting_confirmation', 'in_progress') OR reason = 'PLATFORM_UNREACHABLE');

-- When a subscriber's subscriptions were last asked for, to compare them again in time.
CREATE TABLE subscriptions_compared (
    key BIGINT PRIMARY KEY,
    at  BIGINT NOT NULL
);
CREATE INDEX subscriptions_compared_at ON subscriptions_compared (at);

-- First answers, repeated to whoever repeats the request.
CREATE TABLE idempotency (
    owner     BIGINT NOT NULL,
    key       BYTEA NOT NULL,  -- a keyed hash: what a client writes there is its own business
    body_hash BYTEA NOT NULL,
    answer    TEXT NOT NULL,
    created   BIGINT NOT NULL,
    PRIMARY KEY (owner, key)
);
CREATE INDEX idempotency_created ON idempotency (created);

-- Each subscriber's event stream.
CREATE TABLE event (
    owner  BIGINT NOT NULL,
    seq    BIGINT NOT NULL,
    kind   TEXT NOT NULL,     -- order, match, share
    friend BIGINT NOT NULL,   -- whom it is about, as a key; -2: an order of one's own; -1: somebody who left
    data   TEXT NOT NULL,     -- JSON of ids
    at     BIGINT NOT NULL,
    PRIMARY KEY (owner, seq)
) {clustered};
CREATE INDEX event_friend ON event (friend, owner, seq);
CREATE INDEX event_at ON event (at);

-- A registered person. `key` is the contact key of the number; the number itself is sealed.
CREATE TABLE subscriber (
    key    BIGINT PRIMARY KEY,
    id     BYTEA NOT NULL UNIQUE,
    number BYTEA NOT NULL,
    locale TEXT NOT NULL,
    since  BIGINT NOT NULL,
    proven BIGINT NOT NULL,   -- when a code last proved that the number is theirs
    held   BIGINT             -- since when signing in waits for the network's word on the number
);

-- One attempt to sign in by a code; the code only as a keyed hash.
CREATE TABLE registration (
    id        BYTEA PRIMARY KEY,
    key       BIGINT NOT NULL,
    number    BYTEA NOT NULL,
    locale    TEXT NOT NULL,
    code_hash BYTEA NOT NULL,
    created   BIGINT NOT NULL,
    expires   BIGINT NOT NULL,
    tries     BIGINT NOT NULL,
    spent     BIGINT NOT NULL    -- 1: used, or voided by a newer one
);
CREATE INDEX registration_key ON registration (key, created);
CREATE INDEX registration_expires ON registration (expires);

-- What the limiters of signing in count. Numbers and addresses only as keyed hashes.
CREATE TABLE limiter (
    id      {serial},
    subject BYTEA NOT NULL,    -- what is counted, and for which number or from which address
    at      BIGINT NOT NULL,
    hits    BIGINT NOT NULL
);
CREATE INDEX limiter_subject ON limiter (subject, at);
CREATE INDEX limiter_at ON limiter (at);

-- When a person may again add as many new numbers as at first; the person only as a keyed hash.
CREATE TABLE new_number_quota (
    subject BYTEA PRIMARY KEY,
    full_at BIGINT NOT NULL
);
CREATE INDEX new_number_quota_full_at ON new_number_quota (full_at);

CREATE TABLE session (
    id         BYTEA PRIMARY KEY,
    key        BIGINT NOT NULL,
    token_hash BYTEA NOT NULL UNIQUE,
    device     BYTEA,          -- what the person calls it, sealed
    created    BIGINT NOT NULL
);
CREATE INDEX session_key ON session (key);

CREATE TABLE consent (
    key     BIGINT NOT NULL,
    consent TEXT NOT NULL,
    version TEXT NOT NULL,    -- of the text that was shown
    given   BIGINT NOT NULL,
    PRIMARY KEY (key, consent)
) {clustered};

-- One book as one compressed blob of contact keys, with its own checksum. Never a row per contact.
CREATE TABLE book (
    key     BIGINT PRIMARY KEY,
    version BIGINT NOT NULL,
    size    BIGINT NOT NULL,
    keys    BYTEA NOT NULL,
    changed BIGINT NOT NULL
);

-- Who matches whom, in both directions; changed with the book, or the hiding, that causes it.
CREATE TABLE matched (
    owner  BIGINT NOT NULL,
    friend BIGINT NOT NULL,
    since  BIGINT NOT NULL,
    PRIMARY KEY (owner, friend)
) {clustered};

CREATE TABLE hidden (
    owner  BIGINT NOT NULL,
    hidden BIGINT NOT NULL,
    PRIMARY KEY (owner, hidden)
) {clustered};
CREATE INDEX hidden_hidden ON hidden (hidden, owner);

-- An address book in the cloud: a blob that only the person's own terminals can open.
CREATE TABLE backup (
    key     BIGINT PRIMARY KEY,
    version BIGINT NOT NULL,  -- goes up with each blob
    blob    BYTEA NOT NULL,
    changed BIGINT NOT NULL
);

-- Every decision and every action of an operator: append-only, in a few chains of keyed hashes.
CREATE TABLE audit (
    chain      BIGINT NOT NULL,
    seq        BIGINT NOT NULL,   -- 1, 2, 3 in each chain
    at         BIGINT NOT NULL,
    actor      TEXT NOT NULL,     -- subscriber, platform, local, or operator/ and the name of a token
    action     TEXT NOT NULL,
    subject    BYTEA,             -- the pseudonym of a person, or of an order that names nobody
    detail     TEXT NOT NULL,     -- JSON; never a number, a code or a token
    generation BIGINT NOT NULL,   -- which audit key made the hash
    previous   BYTEA NOT NULL,
    hash       BYTEA NOT NULL,
    PRIMARY KEY (chain, seq)
);
CREATE INDEX audit_subject ON audit (subject, at);

-- Where each chain ends, under a keyed hash of its own.
CREATE TABLE audit_head (
    chain      BIGINT PRIMARY KEY,
    count      BIGINT NOT NULL,
    hash       BYTEA NOT NULL,
    generation BIGINT NOT NULL,
    mac        BYTEA NOT NULL
);

-- The keys of the hashes, sealed; a rotation of the installation's keys adds one and seals all anew.
CREATE TABLE audit_key (
    generation BIGINT PRIMARY KEY,
    key        BYTEA NOT NULL
);

-- What makes a person's pseudonyms, sealed. Without its row nobody can tell whose they were.
CREATE TABLE audit_person (
    key  BIGINT PRIMARY KEY,
    salt BYTEA NOT NULL
);

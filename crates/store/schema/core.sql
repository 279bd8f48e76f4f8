-- Facts about the database itself: under which keys it was written.
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value BYTEA NOT NULL
);

-- Who was erased; a restored older database lacks what the journal beside it has.
CREATE TABLE erasure (
    id   BYTEA NOT NULL,
    what TEXT NOT NULL,     -- account, owner, customer
    who  BYTEA,             -- a contact key, sealed; forgotten after a while
    at   BIGINT NOT NULL,
    PRIMARY KEY (id, what)
);

-- Work that a commit has caused; run at least once.
CREATE TABLE job (
    id           {serial},
    kind         TEXT NOT NULL,
    topic        TEXT,             -- at most one job of a kind and topic waits; NULL: any number
    payload      TEXT NOT NULL,    -- JSON of ids; never a number, a code or a name
    run_at       BIGINT NOT NULL,
    attempts     BIGINT NOT NULL,
    round        BIGINT NOT NULL,  -- goes up when the same topic is enqueued again while it runs
    leased_until BIGINT NOT NULL,  -- 0: nobody works on it
    fence        BIGINT NOT NULL DEFAULT 0, -- goes up with every lease: whoever had an earlier one cannot write any more
    dead         BIGINT NOT NULL,
    UNIQUE (kind, topic)
);
CREATE INDEX job_due ON job (dead, kind, run_at);

-- The steps from a share to a subscription; append-only.
CREATE TABLE funnel (
    id       {serial},
    at       BIGINT NOT NULL,
    step     TEXT NOT NULL,
    offering TEXT,
    person   BIGINT,    -- contact key of who acted
    friend   BIGINT,    -- contact key of whose share it was
    cause    TEXT       -- the share or the order that it follows from
);
CREATE INDEX funnel_at ON funnel (step, at);
CREATE INDEX funnel_person ON funnel (person, id);

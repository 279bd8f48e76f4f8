-- A text on its way out. Number and body are sealed; the body is wiped when the text is final.
CREATE TABLE text (
    id         BYTEA PRIMARY KEY,
    purpose    TEXT NOT NULL,     -- sign_in, confirmation, receipt, notice
    key        BIGINT NOT NULL,
    number     BYTEA NOT NULL,
    suffix     TEXT NOT NULL,     -- digits appended to the sender; '' for the common number
    body       BYTEA,
    state      TEXT NOT NULL,     -- queued, sent, accepted, delivered, undelivered, rejected, unknown, expired
    reference  TEXT,              -- what waits for this text, if anything does
    not_after  BIGINT NOT NULL,
    created    BIGINT NOT NULL,
    next_try   BIGINT NOT NULL,
    attempts   BIGINT NOT NULL,
    sending    BIGINT NOT NULL,   -- goes up with every taking: who was taken from cannot write any more
    sent       BIGINT,
    accepted   BIGINT
);
CREATE INDEX text_due ON text (state, next_try);
CREATE INDEX text_key ON text (key, purpose, created);
CREATE INDEX text_created ON text (created);

-- What the centre called each part of an accepted text, until its receipt has come.
CREATE TABLE text_part (
    account    TEXT NOT NULL,
    message_id TEXT NOT NULL,
    text       BYTEA NOT NULL,
    part       BIGINT NOT NULL,
    state      TEXT NOT NULL,     -- accepted, delivered, undelivered
    at         BIGINT NOT NULL,
    PRIMARY KEY (account, message_id)
);
CREATE INDEX text_part_text ON text_part (text);
CREATE INDEX text_part_at ON text_part (at);

-- What an operator asked to be texted, as asked (sealed), and the texts that came of it.
CREATE TABLE communication (
    id      BYTEA PRIMARY KEY,
    request BYTEA,                -- NULL: somebody in it was erased
    state   TEXT,                 -- that listeners were told last
    created BIGINT NOT NULL
);
CREATE INDEX communication_created ON communication (created);
CREATE TABLE communication_text (
    text          BYTEA PRIMARY KEY,
    communication BYTEA NOT NULL,
    place         BIGINT NOT NULL -- of the receiver in the request
);
CREATE INDEX communication_text_of ON communication_text (communication);

-- A text that came in; stored before the centre is told so.
CREATE TABLE inbox (
    id          BYTEA PRIMARY KEY,
    fingerprint BYTEA NOT NULL UNIQUE,
    key         BIGINT NOT NULL,
    number      BYTEA NOT NULL,
    destination TEXT NOT NULL,
    body        BYTEA,
    received    BIGINT NOT NULL
);
CREATE INDEX inbox_received ON inbox (received);
CREATE INDEX inbox_waiting ON inbox (key) WHERE body IS NOT NULL;

-- A part of a long text that came in, until the others have come; stored before the centre is told so.
CREATE TABLE inbox_part (
    fingerprint BYTEA PRIMARY KEY, -- of the whole and the place in it
    whole       BYTEA NOT NULL,    -- keyed hash of connection, phone, our address, reference and how many there are
    key         BIGINT NOT NULL,
    place       BIGINT NOT NULL,
    coding      BIGINT NOT NULL,
    octets      BYTEA NOT NULL,    -- sealed
    received    BIGINT NOT NULL
);
CREATE INDEX inbox_part_whole ON inbox_part (whole);
CREATE INDEX inbox_part_key ON inbox_part (key, received);
CREATE INDEX inbox_part_received ON inbox_part (received);

-- What a centre delivered and nobody can read, sealed as it came.
CREATE TABLE inbox_unread (
    id       BYTEA PRIMARY KEY,
    account  TEXT NOT NULL,
    octets   BYTEA NOT NULL,
    received BIGINT NOT NULL
);
CREATE INDEX inbox_unread_received ON inbox_unread (received);

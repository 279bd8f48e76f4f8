//! Users of PostgreSQL with the rights of a role: what they may do, and what is refused to them.

use std::collections::BTreeSet;

use domain::consent::Consent;
use domain::ids::{SessionId, SubscriberId, TextId};
use domain::locale::Locale;
use domain::world::after_seconds;
use serde_json::json;
use store::audit::{Actor, AuditAction, AuditEntry};
use store::contacts::NewSession;
use store::erasures::Erased;
use store::exchange::EventKind;
use store::friends::FeedFilter;
use store::jobs::JobKind;
use store::roles::{RIGHTS, Role};
use store::texts::{NewText, TextPurpose};
use store::upkeep::{Retention, Upkeep};
use store::{GrantError, Kind, MasterKey, OpenError, RotateError, Store, StoreError, Tx, View};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, NoTls};

use crate::backends::{Bench, keys, number};

const WORDS: [(char, &str); 4] = [('r', "SELECT"), ('a', "INSERT"), ('w', "UPDATE"), ('d', "DELETE")];

/// A database with a user for each role; the users go with it, since they are the whole cluster's.
struct Users {
    bench: Bench,
    url: String,
    owner: Client,
    prefix: String,
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

impl Users {
    async fn make(law: &str) -> Option<Self> {
        let bench = Bench::postgres(law).await?;
        let url = bench.url.clone().unwrap();
        let owner = connect(&url).await;
        let users = Self { bench, url, owner, prefix: format!("law_{}_{law}", std::process::id()) };
        for role in Role::ALL {
            let made = format!("CREATE ROLE {} LOGIN PASSWORD 'law'", users.name(role));
            users.owner.batch_execute(&made).await.unwrap();
        }
        Some(users)
    }

    async fn granted(law: &str) -> Option<Self> {
        let users = Self::make(law).await?;
        Store::grant_postgres(&users.url, &users.all()).await.unwrap();
        Some(users)
    }

    fn name(&self, role: Role) -> String {
        format!("{}_{}", self.prefix, role.word())
    }

    fn all(&self) -> Vec<(Role, String)> {
        Role::ALL.into_iter().map(|role| (role, self.name(role))).collect()
    }

    fn url_of(&self, role: Role) -> String {
        let (_, place) = self.url.rsplit_once('@').unwrap();
        format!("postgres://{}:law@{place}", self.name(role))
    }

    async fn store(&self, role: Role) -> Store {
        Store::open_postgres(&self.url_of(role), &keys(), self.bench.world.clone()).await.unwrap()
    }

    async fn tables(&self) -> BTreeSet<String> {
        let rows = self.owner.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", &[]).await;
        rows.unwrap().iter().map(|row| row.get::<_, String>(0)).collect()
    }

    async fn end(self) {
        for role in Role::ALL {
            let name = self.name(role);
            self.owner.batch_execute(&format!("DROP OWNED BY {name}; DROP ROLE {name}")).await.unwrap();
        }
    }
}

#[test]
fn the_operators_page_names_every_table_with_the_rights_that_are_given() {
    let page = include_str!("../../../../docs/roles.md");
    let mut told = Vec::new();
    for line in page.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        if let [table, contacts, exchange, platform, sms] = cells[..] {
            told.push((table.trim_matches('`').to_owned(), [contacts, exchange, platform, sms]));
        }
    }
    let given: Vec<_> =
        RIGHTS.iter().map(|one| (one.table.to_owned(), Role::ALL.map(|role| one.of(role)))).collect();
    assert_eq!(told, given);
}

#[test]
fn of_books_only_contacts_knows_and_of_shares_the_platform_does_not() {
    let of = |table: &str| RIGHTS.iter().find(|one| one.table == table).unwrap();
    for role in [Role::Exchange, Role::Platform, Role::Sms] {
        for table in ["book", "hidden", "backup", "registration", "limiter"] {
            assert_eq!(of(table).of(role), "", "{role:?} {table}");
        }
    }
    for role in [Role::Platform, Role::Sms] {
        for table in ["share", "share_audience", "share_seen", "event", "matched", "session"] {
            assert_eq!(of(table).of(role), "", "{role:?} {table}");
        }
    }
    for role in Role::ALL {
        assert!(!of("audit").of(role).contains(['w', 'd']), "what was decided is never changed");
        assert!(!of("meta").of(role).contains(['a', 'w', 'd']), "the seed is the owner's");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_table_of_the_schema_is_named_and_the_grants_are_those_of_the_list() {
    let Some(users) = Users::granted("grants_are_the_list").await else { return };
    let named: BTreeSet<String> = RIGHTS.iter().map(|one| one.table.to_owned()).collect();
    assert_eq!(users.tables().await, named);
    assert_eq!(named.len(), RIGHTS.len(), "a table is named twice");
    for role in Role::ALL {
        for rights in &RIGHTS {
            for word in ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"] {
                let ask = "SELECT has_table_privilege($1::text, $2::text, $3::text)";
                let has = users.owner.query_one(ask, &[&users.name(role), &rights.table, &word]).await;
                let letter = WORDS.iter().find(|(_, one)| *one == word).map(|(letter, _)| *letter);
                let listed = letter.is_some_and(|letter| rights.of(role).contains(letter));
                assert_eq!(has.unwrap().get::<_, bool>(0), listed, "{role:?} {word} {}", rights.table);
            }
        }
    }
    users.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_in_the_list_is_refused_to_each_user_and_what_is_in_it_is_not() {
    let Some(users) = Users::granted("what_is_refused").await else { return };
    for role in Role::ALL {
        let client = connect(&users.url_of(role)).await;
        for rights in &RIGHTS {
            let table = rights.table;
            let columns =
                "SELECT attname FROM pg_attribute WHERE attrelid = CAST($1 AS TEXT)::regclass AND attnum = 1";
            let column: String = users.owner.query_one(columns, &[&table]).await.unwrap().get(0);
            for (letter, statement) in [
                ('r', format!("SELECT COUNT({column}) FROM {table}")),
                ('a', format!("INSERT INTO {table} DEFAULT VALUES")),
                ('w', format!("UPDATE {table} SET {column} = DEFAULT WHERE false")),
                ('d', format!("DELETE FROM {table} WHERE false")),
            ] {
                let refused = match client.batch_execute(&format!("BEGIN; {statement}; ROLLBACK")).await {
                    Ok(()) => false,
                    Err(error) => error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE),
                };
                client.batch_execute("ROLLBACK").await.unwrap();
                assert_eq!(refused, !rights.of(role).contains(letter), "{role:?}: {statement}");
            }
        }
        for more in ["CREATE TABLE public.mine (x BIGINT)", "DROP TABLE book", "TRUNCATE job"] {
            let refused = client.batch_execute(more).await.unwrap_err();
            assert_eq!(refused.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE), "{role:?}: {more}");
        }
    }
    users.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_wants_to_read_what_is_anothers_is_refused_by_the_database() {
    let Some(users) = Users::granted("a_role_that_wants_to").await else { return };
    let key = users.bench.store.keys().contact_key(number(1));
    let refused =
        async |role: Role, read: fn(&mut View<'_>, domain::key::ContactKey) -> Result<(), StoreError>| {
            let store = users.store(role).await;
            let answer = store.read::<_, StoreError, _>(move |view| read(view, key)).await;
            assert_eq!(answer.unwrap_err().kind(), Kind::NotAllowed, "{role:?}");
            store.close().await;
        };
    for role in [Role::Exchange, Role::Platform, Role::Sms] {
        refused(role, |view, key| view.contacts().find_book(key).map(drop)).await;
        refused(role, |view, key| view.contacts().find_backup(key).map(drop)).await;
    }
    for role in [Role::Platform, Role::Sms] {
        let feed =
            |view: &mut View<'_>, key| view.friends().list_feed(key, &FeedFilter::default(), 9).map(drop);
        refused(role, feed).await;
        refused(role, |view, key| view.exchange().list_subscriptions(key).map(drop)).await;
        refused(role, |view, key| view.friends().list_matches(key, None, 9).map(drop)).await;
    }
    for role in [Role::Contacts, Role::Exchange, Role::Sms] {
        refused(role, |view, key| view.platform().find_customer(key).map(drop)).await;
    }
    refused(Role::Exchange, |view, _| view.texts().count_open().map(drop)).await;
    users.end().await;
}

async fn write<T: Send + 'static>(
    store: &Store,
    verb: impl FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
) -> T {
    store.write::<_, StoreError, _>(verb).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_does_its_own_work_under_its_own_rights() {
    let Some(users) = Users::granted("each_role_does_its_work").await else { return };
    let (world, now) = (users.bench.world.clone(), users.bench.world.now());
    let [contacts, exchange, platform, sms] = [
        users.store(Role::Contacts).await,
        users.store(Role::Exchange).await,
        users.store(Role::Platform).await,
        users.store(Role::Sms).await,
    ];
    let (li, zhang) = (contacts.keys().contact_key(number(1)), contacts.keys().contact_key(number(2)));
    for (person, key) in [(1, li), (2, zhang)] {
        let fresh = SubscriberId(world.uuid());
        let session =
            NewSession { id: SessionId(world.uuid()), token: format!("token-{person}"), device: None };
        write(&contacts, move |tx| {
            tx.contacts().sign_in(number(person), Locale::Chinese, fresh, &session)?;
            tx.contacts().give_consent(key, Consent::Upload, "1")
        })
        .await;
    }
    write(&contacts, move |tx| {
        tx.contacts().replace_book(li, &BTreeSet::from([zhang]))?;
        tx.contacts().replace_book(zhang, &BTreeSet::from([li]))?;
        tx.exchange().append_event(li, EventKind::Match, Some(zhang), &json!({}))?;
        tx.audit().append(&AuditEntry::by(li, AuditAction::Erased))
    })
    .await;
    // The exchange sees that they match, hears of it, and writes its own; of the books it sees nothing.
    let seen = write(&exchange, move |tx| {
        tx.exchange().append_event(zhang, EventKind::Order, None, &json!({}))?;
        tx.jobs().enqueue_topic(JobKind::Compare, "all", &(), now)?;
        tx.audit().append(&AuditEntry::by(zhang, AuditAction::Erased))?;
        Ok((tx.friends().find_match(li, zhang)?.is_some(), tx.exchange().list_events(li, 0, 0, 9)?.len()))
    })
    .await;
    assert_eq!(seen, (true, 1));
    let text = NewText {
        id: TextId(world.uuid()),
        purpose: TextPurpose::Notice,
        to: number(1),
        suffix: String::new(),
        body: "body".to_owned(),
        not_after: after_seconds(now, 300),
        reference: None,
    };
    write(&platform, move |tx| {
        tx.texts().enqueue(&text)?;
        tx.audit().append(&AuditEntry::new(Actor::Platform, AuditAction::Erased).about(li))
    })
    .await;
    assert_eq!(write(&sms, |tx| Ok(tx.texts().take_due(9)?.len())).await, 1);
    // Each forgets what is its own, and all of it together.
    for (store, role) in [
        (&contacts, Role::Contacts),
        (&exchange, Role::Exchange),
        (&platform, Role::Platform),
        (&sms, Role::Sms),
    ] {
        let upkeep = Upkeep::new(store.clone(), world.clone(), Retention::default()).of(role);
        assert!(!upkeep.portion().await.unwrap(), "{role:?}");
    }
    write(&contacts, move |tx| {
        tx.erasures().record(Erased::Account, li)?;
        tx.exchange().erase_person(li)?;
        tx.contacts().erase_subscriber(li)?;
        tx.texts().silence(li)?;
        tx.audit().unlink(li)
    })
    .await;
    let directory = tempfile::tempdir().unwrap();
    assert!(exchange.keep_erasures(&directory.path().join("erased")).await.unwrap().is_empty());
    users.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_make_nothing_opens_what_is_up_to_date_and_is_told_what_to_do_with_what_is_not() {
    let Some(users) = Users::make("who_may_make_nothing").await else { return };
    let open = async || {
        Store::open_postgres(&users.url_of(Role::Exchange), &keys(), users.bench.world.clone())
            .await
            .map(drop)
    };
    assert!(matches!(open().await, Err(OpenError::NotAllowed)), "nothing was granted yet");
    Store::grant_postgres(&users.url, &users.all()).await.unwrap();
    open().await.unwrap();
    users.owner.batch_execute("UPDATE schema_version SET version = version - 1").await.unwrap();
    assert!(matches!(open().await, Err(OpenError::NotAllowed)), "an older schema");
    users.owner.batch_execute("UPDATE schema_version SET version = version + 2").await.unwrap();
    assert!(matches!(open().await, Err(OpenError::Newer { .. })), "a newer one");
    users.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_may_not_exchange_the_master_key_leaves_the_key_file_as_it_was() {
    let Some(users) = Users::granted("a_role_may_not_exchange").await else { return };
    let directory = tempfile::tempdir().unwrap();
    let (file, world) = (directory.path().join("the.key"), users.bench.world.clone());
    // A database of its own, written with a key file.
    users.owner.batch_execute("TRUNCATE meta, audit, audit_head, audit_key").await.unwrap();
    let open =
        async |url: &str| Store::open_postgres(url, &MasterKey::in_file(&file), world.clone()).await.unwrap();
    open(&users.url).await.close().await;
    let before = std::fs::read(&file).unwrap();
    let store = open(&users.url_of(Role::Platform)).await;
    let refused = store.rotate_master_key(Actor::Local).await;
    assert!(matches!(refused, Err(RotateError::Store(error)) if error.kind() == Kind::NotAllowed));
    assert_eq!(std::fs::read(&file).unwrap(), before);
    open(&users.url).await.rotate_master_key(Actor::Local).await.unwrap();
    assert_ne!(std::fs::read(&file).unwrap(), before, "the owner may");
    users.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_takes_back_what_a_user_had_before_and_refuses_whom_nothing_would_be_refused() {
    let Some(users) = Users::granted("a_grant_takes_back").await else { return };
    let user = users.name(Role::Exchange);
    let may = async |table: &str| {
        let ask = "SELECT has_table_privilege($1::text, $2::text, 'SELECT')";
        users.owner.query_one(ask, &[&user, &table]).await.unwrap().get::<_, bool>(0)
    };
    users.owner.batch_execute(&format!("GRANT SELECT ON book TO {user}")).await.unwrap();
    let again = [(Role::Exchange, user.clone()), (Role::Sms, user.clone())];
    Store::grant_postgres(&users.url, &again).await.unwrap();
    assert!(!may("book").await && may("share").await && may("inbox").await, "both roles, and nothing else");
    let grant =
        async |name: &str| Store::grant_postgres(&users.url, &[(Role::Exchange, name.to_owned())]).await;
    assert!(matches!(grant("nobody\"; DROP TABLE book").await, Err(GrantError::NoUser(_))));
    assert!(matches!(grant("postgres").await, Err(GrantError::Unbound(_))));
    users.owner.batch_execute("GRANT SELECT ON book TO PUBLIC").await.unwrap();
    let more = grant(&user).await;
    assert!(matches!(more, Err(GrantError::TooMuch { table, right: "SELECT", .. }) if table == "book"));
    assert!(may("inbox").await, "what is refused changes nothing");
    users.end().await;
}

/// What the statements of a source file do: a letter and a table, each once.
fn statements(source: &str) -> BTreeSet<(char, String)> {
    let words: Vec<&str> = source
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty())
        .collect();
    let known = |word: &str| RIGHTS.iter().any(|one| one.table == word);
    let mut done = BTreeSet::new();
    for (place, word) in words.iter().enumerate().filter(|(_, word)| known(word)) {
        let before = |back: usize| place.checked_sub(back).map_or("", |place| words[place]);
        let letter = match (before(2), before(1)) {
            ("DELETE", "FROM") => 'd',
            ("INSERT", "INTO") => 'a',
            (_, "UPDATE") => 'w',
            (_, "FROM" | "JOIN") => 'r',
            _ => continue,
        };
        done.insert((letter, (*word).to_owned()));
    }
    done
}

fn sources(room: &str) -> Vec<String> {
    let place = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(room);
    let files = std::fs::read_dir(place).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.is_file()).map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

#[test]
fn every_statement_of_a_room_is_one_that_the_rooms_role_may_make() {
    // What is done for the role by another: an erasure by contacts, checks and keys by the owner.
    let done_by_others =
        [(Role::Exchange, 'w', "funnel"), (Role::Exchange, 'r', "book"), (Role::Exchange, 'r', "hidden")];
    let owners = [('a', "audit_key"), ('a', "audit_head")];
    let rooms: [(&str, &[Role]); 7] = [
        ("contacts", &[Role::Contacts]),
        ("exchange", &[Role::Exchange]),
        ("friends", &[Role::Exchange]),
        ("platform", &[Role::Platform]),
        ("texts", &[Role::Platform, Role::Sms]),
        ("jobs", &[Role::Contacts]),
        ("audit", &[Role::Contacts]),
    ];
    let mut looked = 0;
    for (room, roles) in rooms {
        for (letter, table) in sources(room).iter().flat_map(|source| statements(source)) {
            looked += 1;
            let rights = RIGHTS.iter().find(|one| one.table == table).unwrap();
            let may = roles.iter().any(|role| rights.of(*role).contains(letter));
            let other = roles.iter().any(|role| done_by_others.contains(&(*role, letter, rights.table)));
            assert!(may || other || owners.contains(&(letter, rights.table)), "{room}: {letter} {table}");
        }
    }
    assert!(looked > 100, "statements are written in another way: {looked}");
}

//! What the database holds, and whether it can be opened at all.

use domain::catalogue::{Provider, ProviderKind};
use domain::world::{World, after_seconds};
use jiff::Timestamp;
use jiff::civil::Date;
use store::jobs::JobCounts;
use store::{Kind, OpenError, Store, StoreError, View};

use super::super::opening::look as open;
use super::super::serve::platform_config;
use super::Finding;
use crate::config::{Config, Role};

/// Work that waits longer than this waits for something that does not come by itself.
const STUCK_S: i64 = 600;
/// Codes and time limits bear a minute; more, and they end at another time than the text said.
const CLOCK_APART_S: i64 = 60;

/// What was read, in one look.
pub(super) struct Stored {
    pub(super) damaged: bool,
    pub(super) providers: Vec<Provider>,
    pub(super) offerings: i64,
    pub(super) jobs: JobCounts,
    pub(super) oldest_job: Option<Timestamp>,
    pub(super) oldest_text: Option<Timestamp>,
    pub(super) newest_entry: Option<Timestamp>,
    pub(super) database_clock: Option<Timestamp>,
}

pub(super) async fn look(config: &Config, world: &World) -> Vec<Finding> {
    let store = match open(config).await {
        Ok(store) => store,
        // The key file has findings of its own.
        Err(OpenError::KeyFile(_)) => return Vec::new(),
        Err(error) => return vec![opened(config, &error)],
    };
    let (now, looked) = (world.now(), Looked::by(config));
    let read = store.read::<_, StoreError, _>(move |view| read(view, looked, now)).await;
    let stored = match read {
        Ok(stored) => stored,
        Err(error) => return vec![opened(config, &OpenError::Store(error))],
    };
    let today = now.to_zoned(platform_config(config).zone).date();
    let mut findings = judge(&stored, looked.platform, now, today);
    if looked.log {
        findings.push(heads(config, &store).await);
    }
    findings
}

/// What the roles of this process may look at, where their user of the database has no other rights.
#[derive(Clone, Copy)]
struct Looked {
    platform: bool,
    texts: bool,
    log: bool,
}

impl Looked {
    fn by(config: &Config) -> Self {
        let any = |roles: &[Role]| roles.iter().any(|role| config.has(*role));
        Self {
            platform: config.has(Role::Platform) && config.platform.url.is_none(),
            texts: any(&[Role::Contacts, Role::Platform, Role::Sms]),
            log: any(&[Role::Contacts, Role::Exchange, Role::Platform]),
        }
    }
}

fn read(view: &mut View<'_>, looked: Looked, now: Timestamp) -> Result<Stored, StoreError> {
    let Looked { platform, texts, log } = looked;
    Ok(Stored {
        damaged: view.check_integrity().is_err(),
        providers: if platform { view.platform().list_providers()? } else { Vec::new() },
        offerings: if platform { view.platform().list_offerings(Some(true), 0, 1)?.1 } else { 0 },
        jobs: view.jobs().counts(now)?,
        oldest_job: view.jobs().oldest_due(now)?,
        oldest_text: if texts { view.texts().outlook()?.oldest } else { None },
        newest_entry: if log { view.audit().newest()? } else { None },
        database_clock: view.clock()?,
    })
}

pub(super) fn opened(config: &Config, error: &OpenError) -> Finding {
    let check = "database";
    match error {
        OpenError::NotBegun => Finding::fine(check, "the first start makes it"),
        OpenError::WrongKeys(_) => Finding::wrong(
            check,
            "it was written under another key file",
            "nothing in it can be read, and the servers do not start",
            "Put the right key file back, or name its place with keys.file.",
        ),
        OpenError::Newer { found, known } => Finding::wrong(
            check,
            format!("a newer hutong wrote it (schema {found}, this one knows {known})"),
            "the servers do not start",
            "Install that version again.",
        ),
        OpenError::NotAllowed => no_right(check),
        OpenError::Store(error) if error.kind() == Kind::NotAllowed => no_right(check),
        OpenError::Store(error) if error.kind() == Kind::Unavailable && config.database.is_some() => {
            Finding::wrong(
                check,
                "PostgreSQL cannot be reached, or refuses the account",
                "the servers do not start",
                "Start it, or correct user, password, host and name in the setting database.",
            )
        }
        OpenError::Store(error) if matches!(error.kind(), Kind::Unavailable | Kind::NoSpace) => {
            Finding::wrong(
                check,
                "its file cannot be read by this user, or another program holds it",
                "the servers do not start, or stop writing",
                "Run this as the servers' user, and end whatever else has the file open.",
            )
        }
        _ => Finding::wrong(
            check,
            "it is damaged",
            "what was promised may be gone",
            "Stop the servers, keep a copy of the data directory, and put the last backup back.",
        ),
    }
}

fn no_right(check: &'static str) -> Finding {
    Finding::wrong(
        check,
        "its user has no right to what these roles need",
        "the servers do not start, or fail at what they are asked",
        "As the user whose the database is: hutong store migrate --grant ROLE=USER; docs/roles.md has the steps.",
    )
}

/// What must be said about what was read.
pub(super) fn judge(stored: &Stored, platform: bool, now: Timestamp, today: Date) -> Vec<Finding> {
    let mut findings = vec![if stored.damaged {
        opened(&Config::default(), &OpenError::Store(StoreError::new(Kind::Damaged, "the check failed")))
    } else {
        Finding::fine("database", "it can be read and is whole")
    }];
    if platform {
        findings.push(catalogue(stored));
        findings.push(designations(&stored.providers, today));
    }
    findings.push(letters(stored.jobs));
    let late =
        |since: Option<Timestamp>| since.filter(|since| now.duration_since(*since).as_secs() > STUCK_S);
    findings.push(waiting(
        "jobs",
        late(stored.oldest_job),
        "what was accepted is not carried out",
        "See that the servers run with all roles, and look into their log for what fails.",
    ));
    findings.push(waiting(
        "texts",
        late(stored.oldest_text),
        "codes and confirmations run out before they arrive",
        "See that the role sms runs and that its SMS centre takes texts: /readyz says whether it is bound.",
    ));
    findings.push(clock(stored, now));
    findings
}

fn catalogue(stored: &Stored) -> Finding {
    if stored.offerings > 0 && !stored.providers.is_empty() {
        return Finding::fine("catalogue", format!("{} offerings can be ordered", stored.offerings));
    }
    Finding::wrong(
        "catalogue",
        "there is no provider, or no offering that can be ordered",
        "nobody can share or order anything",
        "Put them in: hutong seed FILE (examples/catalogue.json is one).",
    )
}

fn designations(providers: &[Provider], today: Date) -> Finding {
    let over = |provider: &&Provider| {
        provider.kind == ProviderKind::Designated && provider.until.is_some_and(|until| until < today)
    };
    let over: Vec<_> = providers.iter().filter(over).map(|provider| provider.id.as_str()).collect();
    if over.is_empty() {
        return Finding::fine("designations", "none is over");
    }
    Finding::advice(
        "designations",
        format!("the designation is over of: {}", over.join(", ")),
        "their services are refused with PROVIDER_NOT_DESIGNATED",
        "If the contract goes on: PUT /operator/v1/providers/{id}/designation with its new dates.",
    )
}

fn letters(jobs: JobCounts) -> Finding {
    if jobs.set_aside == 0 {
        return Finding::fine("dead-letters", "there are none");
    }
    Finding::wrong(
        "dead-letters",
        format!("{} jobs failed too often and were set aside", jobs.set_aside),
        "an order is not carried out, or somebody is not told of it",
        "Look at GET /operator/v1/dead-letters, mend the cause, then retry or remove each.",
    )
}

fn waiting(check: &'static str, since: Option<Timestamp>, why: &'static str, mend: &str) -> Finding {
    match since {
        None => Finding::fine(check, "none waits too long"),
        Some(since) => Finding::wrong(check, format!("the oldest has waited since {since}"), why, mend),
    }
}

fn clock(stored: &Stored, now: Timestamp) -> Finding {
    let apart = |other: Timestamp| other.duration_since(now).abs().as_secs() > CLOCK_APART_S;
    let from_the_future = stored.newest_entry.filter(|newest| *newest > after_seconds(now, CLOCK_APART_S));
    match (stored.database_clock.filter(|clock| apart(*clock)), from_the_future) {
        (None, None) => Finding::fine("clock", "it agrees with the database"),
        (Some(theirs), _) => Finding::wrong(
            "clock",
            format!("it is {now} here and {theirs} at the database"),
            "codes, time limits and designations end at another time than people were told",
            "Set both clocks by the same time servers.",
        ),
        (None, Some(newest)) => Finding::wrong(
            "clock",
            format!("it is {now} here, and what was written last says {newest}"),
            "codes, time limits and designations end at another time than people were told",
            "Set this machine's clock by a time server.",
        ),
    }
}

async fn heads(config: &Config, store: &Store) -> Finding {
    let check = "audit-log";
    let file = config.audit_head_file();
    let files = Store::audit_head_files(&file).unwrap_or_default();
    let rows = store.read::<_, StoreError, _>(|view| view.audit().count()).await.unwrap_or(0);
    let why = "a log that was cut off or changed may hide what somebody did";
    if files.is_empty() && rows > 0 {
        let what = format!("{} with its heads is gone", file.display());
        return Finding::wrong(
            check,
            what,
            why,
            "Run 'hutong audit verify --head' with heads kept elsewhere.",
        );
    }
    if files.len() > 1 || files.iter().any(|one| *one != file) {
        let what = format!("a start found that the log does not hold what {} said", file.display());
        let mend = "Run 'hutong audit verify'. After a restore that you know of, remove the files set aside beside it.";
        return Finding::wrong(check, what, why, mend);
    }
    Finding::fine(check, format!("{rows} entries; 'hutong audit verify' checks each"))
}

#[cfg(test)]
mod tests {
    use super::super::Weight;
    use super::*;

    const NOW: &str = "2026-11-23T00:00:00Z";

    fn sound() -> Stored {
        let now: Timestamp = NOW.parse().unwrap();
        let provider = serde_json::json!({"id": "op", "name": {"en": "The operator"}, "kind": "own"});
        Stored {
            damaged: false,
            providers: vec![serde_json::from_value(provider).unwrap()],
            offerings: 1,
            jobs: JobCounts::default(),
            oldest_job: Some(now),
            oldest_text: None,
            newest_entry: Some(now),
            database_clock: Some(now),
        }
    }

    fn weight(check: &str, stored: &Stored) -> Weight {
        let now: Timestamp = NOW.parse().unwrap();
        let findings = judge(stored, true, now, "2026-11-23".parse().unwrap());
        let finding = findings.iter().find(|finding| finding.check == check).unwrap();
        assert_eq!(finding.weight == Weight::Fine, finding.mend.is_empty());
        finding.weight
    }

    #[test]
    fn a_sound_database_has_no_finding() {
        let now: Timestamp = NOW.parse().unwrap();
        let findings = judge(&sound(), true, now, "2026-11-23".parse().unwrap());
        assert!(findings.iter().all(|finding| finding.weight == Weight::Fine), "{findings:?}");
    }

    #[test]
    fn each_thing_wrong_in_the_database_is_found() {
        let ago = |seconds: i64| Some(after_seconds(NOW.parse().unwrap(), -seconds));
        assert_eq!(weight("database", &Stored { damaged: true, ..sound() }), Weight::Wrong);
        assert_eq!(weight("catalogue", &Stored { offerings: 0, ..sound() }), Weight::Wrong);
        assert_eq!(weight("catalogue", &Stored { providers: Vec::new(), ..sound() }), Weight::Wrong);
        let jobs = JobCounts { set_aside: 1, ..JobCounts::default() };
        assert_eq!(weight("dead-letters", &Stored { jobs, ..sound() }), Weight::Wrong);
        assert_eq!(weight("jobs", &Stored { oldest_job: ago(STUCK_S + 1), ..sound() }), Weight::Wrong);
        assert_eq!(weight("texts", &Stored { oldest_text: ago(STUCK_S + 1), ..sound() }), Weight::Wrong);
        assert_eq!(weight("clock", &Stored { database_clock: ago(61), ..sound() }), Weight::Wrong);
        assert_eq!(weight("clock", &Stored { database_clock: ago(-61), ..sound() }), Weight::Wrong);
        assert_eq!(weight("clock", &Stored { newest_entry: ago(-61), ..sound() }), Weight::Wrong);
        let mut over = sound();
        over.providers[0].kind = ProviderKind::Designated;
        over.providers[0].until = Some("2026-11-22".parse().unwrap());
        assert_eq!(weight("designations", &over), Weight::Advice);
    }

    #[test]
    fn each_way_not_to_open_the_database_is_told_apart() {
        let config = Config::default();
        let of = |error: &OpenError| opened(&config, error);
        let store = |kind| OpenError::Store(StoreError::new(kind, "cause"));
        assert_eq!(of(&OpenError::NotBegun).weight, Weight::Fine);
        let wrong = [
            OpenError::WrongKeys("a.key".into()),
            OpenError::Newer { found: 9, known: 1 },
            store(Kind::Unavailable),
            store(Kind::NotAllowed),
            store(Kind::Damaged),
        ];
        let mut said: Vec<_> = wrong.iter().map(|error| of(error).what).collect();
        said.sort();
        said.dedup();
        assert_eq!(said.len(), wrong.len());
    }
}

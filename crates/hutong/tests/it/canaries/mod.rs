//! What a thief finds in data, write-ahead logs, logs, metrics, dumps and answers: no number, code or token, in
//! whatever form it could be written down.

pub(crate) mod cluster;
mod search;
mod story;

use std::path::Path;

use self::cluster::Cluster;
use self::search::{Wanted, digit_runs};
use self::story::{Lived, live};
use crate::house::House;
use crate::keys::files_under;
use crate::theft::hutong;

/// Where something was looked for, and what stands there.
type Place = (String, Vec<u8>);

/// What the commands of an operator say of the installation.
fn commands(house: &House, more: &[&str], commands: &[&[&str]]) -> Vec<Place> {
    let said = |arguments: &&[&str]| {
        let output = hutong(house, &[*arguments, more].concat());
        (format!("hutong {}", arguments.join(" ")), [output.stdout, output.stderr].concat())
    };
    commands.iter().map(said).collect()
}

fn files(directory: &Path) -> Vec<Place> {
    let read = |path: std::path::PathBuf| (path.display().to_string(), std::fs::read(&path).unwrap());
    files_under(directory).into_iter().map(read).collect()
}

/// Looks everywhere for everything.
fn search(lived: &Lived, places: &[Place]) -> Vec<String> {
    let wanted = Wanted::new(&lived.secrets);
    let mut found: Vec<String> = places
        .iter()
        .filter_map(|(place, bytes)| Some(format!("{place} holds {}", wanted.find(bytes)?)))
        .collect();
    // Four and six digits occur by chance in bytes: these are looked for where people read.
    for (place, bytes) in places.iter().filter(|(_, bytes)| std::str::from_utf8(bytes).is_ok()) {
        let text = String::from_utf8_lossy(bytes);
        let runs = digit_runs(&text);
        let codes = lived.codes.iter().filter(|code| runs.contains(code.as_str()));
        found.extend(codes.map(|_| format!("{place} holds a code")));
    }
    found
}

/// What the running servers show.
async fn shown(house: &House, lived: &Lived) -> Vec<Place> {
    let get = async |path: &str| {
        let url = format!("{}{path}", house.metrics);
        let text = crate::house::http().get(url).send().await.unwrap().text().await.unwrap();
        (path.to_owned(), text.into_bytes())
    };
    vec![
        get("/metrics").await,
        get("/readyz").await,
        ("the log".to_owned(), house.log().join("\n").into_bytes()),
        ("problems".to_owned(), lived.problems.clone().into_bytes()),
    ]
}

const NOBODY: [String; 0] = [];

#[tokio::test(flavor = "multi_thread")]
async fn neither_data_nor_logs_nor_metrics_nor_answers_hold_a_number_a_code_or_a_token() {
    let (port, _charging) = story::charging().await;
    let mut house = House::start_so("trace", port).await;
    let lived = live(&house).await;
    let mut places = shown(&house, &lived).await;
    // The data and the audit log's heads; but not the key file, which is no place to look for anything else.
    let beside = files(house.data().parent().unwrap());
    places.extend(beside.into_iter().filter(|(name, _)| !name.ends_with(".key")));
    for end in ["sqlite", "sqlite-wal", "hutong.mark", "data.audit"] {
        assert!(places.iter().any(|(name, bytes)| name.ends_with(end) && !bytes.is_empty()), "{end}");
    }
    let number = lived.number;
    places.extend(commands(
        &house,
        &[],
        &[
            &["doctor", "--json"],
            &["audit", "list", "--number", number],
            &["audit", "head"],
            &["keys", "status"],
        ],
    ));
    assert_eq!(search(&lived, &places), NOBODY);
    assert!(house.terminate());
    let ended = commands(&house, &[], &[&["check"], &["doctor", "--json"], &["audit", "verify"]]);
    assert!(String::from_utf8_lossy(&ended[0].1).starts_with("ok"), "{ended:?}");
    assert_eq!(search(&lived, &[ended, files(&house.data())].concat()), NOBODY);
    // The same search finds what is planted.
    std::fs::write(house.data().join("planted"), format!("x{number}x")).unwrap();
    assert_eq!(search(&lived, &files(&house.data())).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_a_dump_nor_the_files_nor_the_statement_log_of_postgres_hold_one() {
    let Some(cluster) = Cluster::start() else { return };
    let (mut flags, _charging) = story::charging().await;
    flags.extend(["--database".to_owned(), cluster.url()]);
    let house = House::start_so("trace", flags).await;
    let lived = live(&house).await;
    let mut places = shown(&house, &lived).await;
    let (url, number) = (cluster.url(), lived.number);
    places.extend(commands(
        &house,
        &["--database", &url],
        &[&["doctor", "--json"], &["audit", "list", "--number", number], &["check"], &["keys", "status"]],
    ));
    let dump = cluster.dump();
    for table in ["subscriber", "session", "text", "hub_listener", "product_order", "charge_event"] {
        assert!(dump.contains(&format!("COPY public.{table} ")), "the dump lacks {table}");
    }
    let log = cluster.log();
    // Statements are there with what was bound to them, which is what could tell.
    assert!(log.contains("INSERT INTO subscriber") && log.to_lowercase().contains("parameters: $1 ="));
    places.extend([
        ("the dump".to_owned(), dump.into_bytes()),
        ("PostgreSQL's log".to_owned(), log.into_bytes()),
    ]);
    places.extend(cluster.files());
    assert_eq!(search(&lived, &places), NOBODY);
    // The same search finds what is planted, in the dump, in the log and in the files.
    let digits = number.trim_start_matches('+');
    cluster.sql(&format!("CREATE TABLE planted AS SELECT CAST({digits} AS BIGINT) AS number; CHECKPOINT"));
    let planted = [
        ("the dump".to_owned(), cluster.dump().into_bytes()),
        ("PostgreSQL's log".to_owned(), cluster.log().into_bytes()),
    ];
    assert_eq!(search(&lived, &planted).len(), 2);
    assert!(!search(&lived, &cluster.files()).is_empty());
}

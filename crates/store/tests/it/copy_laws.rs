//! Laws of the copy of a whole store: nothing is lost on the way from one database into the other and back, and a
//! file that is not whole is loaded not at all.

use std::fs;
use std::io::BufReader;
use std::path::Path;

use domain::consent::Audience;
use domain::ids::TextId;
use domain::world::after_seconds;
use store::texts::{NewText, TextPurpose};
use store::{CopyError, MasterKey, Store, StoreError, Tx};

use crate::backends::{Bench, keys, laws, number};
use crate::share_laws::{seen, share, three};

laws! {
    what_is_copied_is_the_same_in_the_other_database_and_back
    a_file_that_is_not_whole_changes_nothing
}

async fn dump(store: &Store, file: &Path) -> u64 {
    let file = file.to_owned();
    store.dump(move || fs::File::create(&file)).await.unwrap()
}

async fn load(store: &Store, file: &Path) -> Result<u64, CopyError> {
    let file = file.to_owned();
    store.load(keys(), move || fs::File::open(&file).map(BufReader::new)).await
}

/// The lines, in an order that is the same in every database.
fn lines(file: &Path) -> Vec<String> {
    let mut lines: Vec<_> = fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

/// Three people with books, matches, a share, more rows of one table than are read at once, a text that waits.
async fn fill(bench: &Bench) {
    let subscription = three(bench).await;
    share(bench, subscription, Audience::Only(vec![bench.store.keys().contact_key(number(2))])).await;
    let text = NewText {
        id: TextId(bench.world.uuid()),
        purpose: TextPurpose::SignIn,
        to: number(1),
        suffix: String::new(),
        body: "a text that waits".to_owned(),
        not_after: after_seconds(bench.world.now(), 300),
        reference: None,
    };
    let keys = bench.store.keys().clone();
    let write = move |tx: &mut Tx<'_>| {
        for n in 100..300 {
            tx.contacts().hide(keys.contact_key(number(3)), keys.contact_key(number(n)))?;
        }
        tx.contacts().put_backup(keys.contact_key(number(1)), &[0, 159, 146, 150])?;
        tx.texts().enqueue(&text)
    };
    bench.store.write::<_, StoreError, _>(write).await.unwrap();
}

async fn what_is_copied_is_the_same_in_the_other_database_and_back(bench: Bench) {
    fill(&bench).await;
    let place = tempfile::tempdir().unwrap();
    let (first, second, third) =
        (place.path().join("first"), place.path().join("second"), place.path().join("third"));
    let rows = dump(&bench.store, &first).await;
    let other = Bench::embedded();
    assert_eq!(load(&other.store, &first).await.unwrap(), rows);
    let other = other.reopen().await;
    assert_eq!(dump(&other.store, &second).await, rows);
    assert!(lines(&first) == lines(&second), "another file came back");
    assert!(lines(&first).iter().any(|line| line.contains("\"hidden\"")) && rows > 200);
    assert_eq!(seen(&other).await, [1, 0], "memory has what was copied");
    let matches = |store: Store| async move {
        store.read::<_, StoreError, _>(|view| view.friends().check_matches()).await.unwrap()
    };
    assert_eq!(matches(other.store.clone()).await, (0, 0));
    if bench.url.is_some()
        && let Some(back) = Bench::postgres("copied_back").await
    {
        load(&back.store, &second).await.unwrap();
        let url = back.url.clone().unwrap();
        let back = Store::open_postgres(&url, &keys(), back.world.clone()).await.unwrap();
        assert_eq!(dump(&back, &third).await, rows);
        assert!(lines(&first) == lines(&third), "another file came back");
        assert_eq!(matches(back).await, (0, 0));
    }
}

async fn a_file_that_is_not_whole_changes_nothing(bench: Bench) {
    let place = tempfile::tempdir().unwrap();
    let (whole, broken, now) =
        (place.path().join("whole"), place.path().join("broken"), place.path().join("now"));
    let source = Bench::embedded();
    fill(&source).await;
    dump(&source.store, &whole).await;
    dump(&bench.store, &now).await;
    let before = lines(&now);
    let text = fs::read_to_string(&whole).unwrap();
    let all: Vec<&str> = text.lines().collect();
    let at = |what: &str| all.iter().position(|line| line.contains(what)).unwrap();
    let without = |line: usize| {
        let mut rest = all.clone();
        rest.remove(line);
        rest.join("\n") + "\n"
    };
    let hidden = at("\"table\":\"hidden\"");
    for (what, text) in [
        ("empty", String::new()),
        ("something else", "{\"hello\":1}\n".to_owned()),
        ("without its end", without(all.len() - 1)),
        ("broken off within a line", text[..text.len() - 20].to_owned()),
        ("with a row too few", without(hidden + 1)),
        ("with a row twice", text.replace(all[hidden + 1], &format!("{0}\n{0}", all[hidden + 1]))),
        ("with a row of too few values", text.replace(all[hidden + 1], "[1]")),
        ("with a letter where a number belongs", text.replace(all[hidden + 1], "[\"a\",1]")),
        ("with rows of no table", without(1)),
        (
            "with a table of other columns",
            text.replace("\"columns\":[\"owner\",\"hidden\"]", "\"columns\":[\"owner\"]"),
        ),
        ("with more behind its end", format!("{text}{{}}\n")),
        ("of another schema", text.replacen("\"schema\":", "\"schema\":9", 1)),
    ] {
        fs::write(&broken, text).unwrap();
        let refused = load(&bench.store, &broken).await;
        assert!(
            matches!(refused, Err(CopyError::Line { .. } | CopyError::OtherSchema { .. })),
            "{what}: {refused:?}"
        );
        dump(&bench.store, &now).await;
        assert!(lines(&now) == before, "{what}");
    }
    let other = MasterKey::from_secret([8; 32]);
    let again = whole.clone();
    let refused = bench.store.load(other, move || fs::File::open(&again).map(BufReader::new)).await;
    assert!(matches!(refused, Err(CopyError::Keys(_))), "{refused:?}");
    let refused = load(&source.store, &whole).await;
    assert!(matches!(refused, Err(CopyError::NotEmpty("subscriber"))), "{refused:?}");
    dump(&bench.store, &now).await;
    assert!(lines(&now) == before);
    load(&bench.store, &whole).await.unwrap();
}

//! The whole story, told by processes that cannot read each other's tables.

use api::consents::ConsentGiven;
use domain::Region;
use domain::consent::Consent;
use domain::order::{Progress, Reason};
use futures::StreamExt;
use store::roles::{RIGHTS, Role};
use terminal::memory::FileMemory;
use terminal::scan::Scan;
use terminal::sync::{Extent, Outcome, sync};

use super::town::Town;
use crate::house::{OPERATOR_TOKEN, Person, code, eventually, http};

/// Waits for an event of a kind in a person's stream, however it comes to them.
pub(super) async fn hears(person: &Person<'_>, name: &str) {
    let mut events = person.client.events(Some("0")).await.unwrap();
    let heard = async {
        loop {
            if events.next().await.unwrap().unwrap().happening.name() == name {
                return;
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), heard).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_story_is_true_where_each_role_is_a_process_with_its_own_user() {
    let Some(town) = Town::start().await else { return };
    let house = &town.house;
    // One signs in where contacts is, the other where the exchange is: either takes the whole of /v1.
    let mut zhang = house.person("+8613800138001").await;
    let li = house.person_at(&town.exchange.api, "+8613900139002").await;
    let directory = tempfile::tempdir().unwrap();
    let memory = FileMemory::at(directory.path().join("terminal.json"));
    let mut scan = Scan::default();
    scan.add("a file", include_bytes!("../../../../../examples/zhang_wei.vcf"), Region::CN);
    let scanned =
        sync(&zhang.client, &memory, &scan.matchable_numbers(), Extent::Whole, false).await.unwrap();
    let Outcome::Delivered(book) = scanned else { panic!("nothing was delivered") };
    assert!(book.added > 5 && book.new_matches.is_empty());
    assert_eq!(li.upload(&[zhang.number]).await.new_matches, [zhang.number]);
    assert_eq!(
        (zhang.matches().await, li.matches().await),
        (vec![li.number.into()], vec![zhang.number.into()])
    );
    // What one process has written, the other tells; and a stream is passed on as it comes.
    hears(&zhang, "match").await;

    li.share("data10").await;
    li.share("crbt").await;
    hears(&zhang, "share").await;
    let order = zhang.tap("data10", "own").await;
    zhang.wait(&order, Progress::Completed).await;
    assert!(zhang.next_text().await.1.contains("已开通"));
    let (order, from, right) = zhang.prompted("crbt", "designated").await;
    assert_eq!(house.active_products(zhang.number, "crbt").await, 0, "nothing before the answer");
    zhang.reply(&from, &right).await;
    zhang.wait(&order, Progress::Completed).await;
    assert!(zhang.next_text().await.1.contains("已开通"));
    assert_eq!(house.active_products(zhang.number, "crbt").await, 1);
    let again = zhang.tap("data10", "again").await;
    zhang.ends(&again, Progress::Rejected, Reason::AlreadySubscribed).await;
    zhang.next_text().await;

    let card = zhang.card("crbt").await;
    li.client.unshare(li.service("crbt").await.id).await.unwrap();
    assert_eq!(code(zhang.client.place_order(&card.share_id, "revoked").await), "not-found");
    let left: Vec<String> = zhang.feed().await.into_iter().map(|item| item.offering.id).collect();
    assert_eq!(left, ["data10"]);

    zhang.client.forget_me().await.unwrap();
    assert_eq!(code(zhang.client.me().await), "auth/invalid");
    assert_eq!(code(zhang.client.feed(&Default::default(), None).await), "auth/invalid");
    assert!(li.matches().await.is_empty());
    eventually("the platform to have erased", async || {
        house.list("productInventory/v4/product", zhang.number).await.is_empty().then_some(())
    })
    .await;
    each_database_holds_its_own(&town);
    nobody_reads_what_is_anothers(&town);
    town.end().await;
}

/// In either database only the tables of its own roles have ever been written to.
fn each_database_holds_its_own(town: &Town) {
    let of = |roles: &'static [Role]| {
        RIGHTS.iter().filter(|one| roles.iter().all(|role| !one.of(*role).contains('a'))).map(|one| one.table)
    };
    // The owner, who makes the schema, writes these.
    let made = ["schema_version", "meta", "audit_key", "audit_head"];
    let foreign = |database, roles| {
        let filled = town.filled(database, of(roles));
        filled.into_iter().filter(|table| !made.contains(table)).collect::<Vec<_>>()
    };
    assert!(foreign(Town::PLATFORMS, &[Role::Platform, Role::Sms]).is_empty());
    assert!(foreign(Town::SHARED, &[Role::Contacts, Role::Exchange, Role::Sms]).is_empty());
    assert!(!town.filled(Town::PLATFORMS, ["product", "text"].into_iter()).is_empty());
    // Each role forgets what is its own, by a job that no other role's process takes.
    let jobs = |database| {
        let kinds =
            "SELECT string_agg(kind, ' ' ORDER BY kind) FROM job WHERE kind LIKE 'upkeep%' AND dead = 0";
        town.cluster.ask(database, kinds)
    };
    assert_eq!(jobs(Town::SHARED), "upkeep_contacts upkeep_exchange upkeep_texts");
    assert_eq!(jobs(Town::PLATFORMS), "upkeep_platform upkeep_texts");
}

/// The very program of a role, told to look where it may not.
fn nobody_reads_what_is_anothers(town: &Town) {
    let checked = town.owner_command(&["check"]);
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    for (name, user) in [("exchange", "u_exchange"), ("sms", "u_sms")] {
        for command in [["store", "check"].as_slice(), &["store", "dump", "all"]] {
            let refused = town.command(name, user, command);
            let said = String::from_utf8_lossy(&refused.stderr).into_owned();
            assert!(
                !refused.status.success() && said.contains("permission denied"),
                "{name} {command:?}: {said}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_numbers_new_owner_finds_nothing_of_the_former_ones_in_any_process() {
    let Some(town) = Town::start().await else { return };
    let house = &town.house;
    let li = house.person("+8613900139002").await;
    li.service("crbt").await;
    let closed = async |process: &str| {
        let url = format!("{process}/operator/v1/numbers/{}/new-owner", li.number);
        let answer = http().post(url).bearer_auth(OPERATOR_TOKEN).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    assert_eq!(closed(&town.exchange.api).await.0, 404, "the exchange has nothing of its own to close");
    let (status, body) = closed(&town.contacts.api).await;
    assert_eq!((status, body.as_str()), (200, r#"{"account":true,"subscriptions":0,"orders":0}"#));
    assert_eq!(code(li.client.me().await), "auth/invalid");
    // Whoever has the number now comes at once; the platform is told of the former owner all the same.
    let mut owner = house.stranger_at(&town.exchange.api, "+8613900139002");
    while owner.has_text().await {
        owner.next_text().await;
    }
    owner.register(vec![ConsentGiven::Name(Consent::Subscriptions)]).await;
    eventually("the platform to have erased", async || {
        house.list("productInventory/v4/product", li.number).await.is_empty().then_some(())
    })
    .await;
    eventually("the queue to run empty", async || (house.metric("jobs_due").await == 0.0).then_some(()))
        .await;
    assert!(owner.client.subscriptions(None).await.unwrap().items.is_empty());
    // Told at the platform's own interface, it has nothing left to close.
    let (status, body) = closed(&town.platform.api).await;
    assert_eq!((status, body.as_str()), (200, r#"{"account":false,"subscriptions":0,"orders":0}"#));
    let letters = http().get(format!("{}/operator/v1/dead-letters", town.exchange.api));
    let letters = letters.bearer_auth(OPERATOR_TOKEN).send().await.unwrap();
    assert_eq!(letters.text().await.unwrap(), r#"{"items":[],"charges":[],"next":null}"#);
    town.end().await;
}

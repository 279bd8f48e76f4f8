//! The story: mission rows M1 to M13, played by three people with real address-book files.

use std::path::Path;

use api::feed::FeedItem;
use api::orders::Order;
use api::subscriptions::Subscription;
use domain::order::{Progress, Reason};
use domain::world::World;
use platform::charging::simulator::Simulator as Charging;
use smpp::simulator::Simulator;
use terminal::ClientError;
use terminal::access::TapError;
use terminal::memory::MemoryError;
use terminal::sync::SyncError;

use super::person::{Person, first_run};
use super::told::Told;
use crate::house::House;

const ZHANG_BOOK: &[u8] = include_bytes!("../../../../../examples/zhang_wei.vcf");
const ZHANG_BOOK_WITHOUT_LI: &[u8] = include_bytes!("../../../../../examples/zhang_wei_without_li.vcf");
const LI_BOOK: &[u8] = include_bytes!("../../../../../examples/li_na.vcf");
const JOHN_BOOK: &[u8] = include_bytes!("../../../../../examples/john_smith_v40.vcf");

const ZHANG: &str = "+8613800138001";
const LI: &str = "+8613900139002";
const JOHN: &str = "+8613700137003";

/// A charge is handed over in milliseconds; ten seconds of looking is a fault.
const CHARGE_LOOKS: usize = 500;
const CHARGE_GLANCE: std::time::Duration = std::time::Duration::from_millis(20);

/// Why the story cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stopped {
    /// A call failed.
    #[error(transparent)]
    Server(#[from] ClientError),
    /// A delivery failed.
    #[error(transparent)]
    Sync(#[from] SyncError),
    /// A tap failed.
    #[error(transparent)]
    Tap(#[from] TapError),
    /// A terminal cannot remember.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// A text did not come.
    #[error("the text that {0} waits for did not come")]
    NoText(&'static str),
    /// A text came without a code.
    #[error("a text that should carry a code does not")]
    NoCode,
    /// The simulated centre took no reply.
    #[error("the simulated centre did not take a reply")]
    NoReply,
    /// A card or service that the story needs is not there.
    #[error("{0} is not there")]
    Missing(&'static str),
}

struct Cast<'a> {
    zhang: Person<'a>,
    li: Person<'a>,
    john: Person<'a>,
}

/// Plays the whole story.
pub(super) async fn play(
    told: &mut Told,
    house: &House,
    centre: &Simulator,
    charging: &Charging,
    directory: &Path,
    world: &World,
) -> Result<(), Stopped> {
    let server = format!("http://{}", house.api);
    let person = |name, number| Person::new(name, number, &server, directory, centre);
    let mut cast = Cast {
        zhang: person("Zhang Wei", ZHANG)?,
        li: person("Li Na", LI)?,
        john: person("John Smith", JOHN)?,
    };
    told.say("\nWho knows whom");
    register(told, &mut cast).await?;
    match_books(told, &cast).await?;
    told.say("\nWhat friends show each other");
    let (services, cards) = share(told, &cast).await?;
    told.say("\nOne tap");
    order_own(told, &mut cast, &cards, world).await?;
    order_designated(told, &mut cast, centre, &cards, world).await?;
    order_refused(told, &mut cast, &cards, world).await?;
    answer_wrongly(told, &mut cast, centre, &cards, world).await?;
    charge(told, charging).await;
    told.say("\nTaken back");
    take_back(told, &cast, &services, &cards, world).await
}

async fn register(told: &mut Told, cast: &mut Cast<'_>) -> Result<(), Stopped> {
    for person in [&mut cast.zhang, &mut cast.li, &mut cast.john] {
        let text = person.register().await?;
        let line = format!(
            "{} asks to register, types the code from the text, and gives two consents (M1, M2)",
            person.name
        );
        told.step(&line, &first_run(&text.text, 6).is_some(), &true);
        told.screen(person.name, &text.from, &text.text);
    }
    Ok(())
}

async fn match_books(told: &mut Told, cast: &Cast<'_>) -> Result<(), Stopped> {
    let books = [
        (&cast.zhang, "zhang_wei.vcf (vCard 2.1, Chinese)", ZHANG_BOOK, vec![]),
        (&cast.li, "li_na.vcf (vCard 3.0, Chinese)", LI_BOOK, vec![ZHANG.to_owned()]),
        (&cast.john, "john_smith_v40.vcf (vCard 4.0)", JOHN_BOOK, vec![ZHANG.to_owned()]),
    ];
    for (person, file, bytes, should_match) in books {
        let (scan, changed) = person.scan(file, bytes).await?;
        let (cards, refused) = scan.files.first().map_or((0, 0), |file| (file.cards, file.refused.len()));
        let changed = changed.ok_or(Stopped::Missing("the delivered book"))?;
        let line = format!(
            "{} scans {file}: {cards} cards, {} people delivered as keys, {refused} entries that are nobody's mobile; new matches: {}",
            person.name,
            changed.size,
            if changed.new_matches.is_empty() {
                "none yet".to_owned()
            } else {
                changed.new_matches.join(", ")
            },
        );
        told.step(&line, &changed.new_matches, &should_match);
    }
    let (zhang, li, john) =
        (cast.zhang.friends().await?, cast.li.friends().await?, cast.john.friends().await?);
    let came = (sorted(zhang), li, john);
    let should =
        (sorted(vec![LI.to_owned(), JOHN.to_owned()]), vec![ZHANG.to_owned()], vec![ZHANG.to_owned()]);
    let line =
        "Zhang Wei matches both; John has Li Na's number, but she has not his: they do not match (M3, M4)";
    told.step(line, &came, &should);
    Ok(())
}

async fn share(told: &mut Told, cast: &Cast<'_>) -> Result<(Vec<Subscription>, Vec<FeedItem>), Stopped> {
    let services = cast.li.services(5).await?;
    let line = format!(
        "Li Na's terminal lists what she has at the platform: {} services, none shared (M5)",
        services.len()
    );
    told.step(&line, &(services.len(), services.iter().any(|one| one.shared)), &(5, false));
    told.step(
        "Zhang Wei's feed is empty: sharing is off until one turns it on",
        &cast.zhang.feed().await?.len(),
        &0,
    );
    for id in ["data10", "crbt", "reading", "stars"] {
        cast.li.share(service(&services, id)?).await?;
    }
    let refused = cast.li.try_share(service(&services, "health")?).await;
    let line = "Li Na shares four of them; the fifth is of a sensitive kind and cannot be shared (M6)";
    told.step(line, &refused.as_deref(), &Some("share/not-shareable"));
    let cards = cast.zhang.feed().await?;
    for card in &cards {
        let price = format!(
            "{} {}/{}",
            card.offering.price.amount,
            card.offering.price.currency,
            card.offering.price.period.word()
        );
        let line = format!(
            "{} by {}, {price}, {}",
            card.offering.name, card.offering.provider.name, card.offering.how_to_cancel
        );
        told.screen("Zhang Wei", &card.friend, &line);
    }
    told.step("Zhang Wei sees exactly those four (M7)", &cards.len(), &4);
    let johns = (cast.john.feed().await?.len(), cast.john.try_open(LI).await);
    let line = "John sees nothing, and asking for Li Na's shares is answered as if she did not exist (M7)";
    told.step(line, &johns, &(0, Some("not-found".to_owned())));
    Ok((services, cards))
}

async fn order_own(
    told: &mut Told,
    cast: &mut Cast<'_>,
    cards: &[FeedItem],
    world: &World,
) -> Result<(), Stopped> {
    let order = cast.zhang.tap(card(cards, "data10")?, world).await?;
    let order = cast.zhang.follow(&order).await?;
    let line =
        format!("Zhang Wei taps the operator's own \"{}\": started at once (M8, M10, M13)", order.name);
    told.step(&line, &outcome(&order), &(Progress::Completed, None));
    let receipt = cast.zhang.next_text().await?;
    told.screen(cast.zhang.name, &receipt.from, &receipt.text);
    Ok(())
}

async fn order_designated(
    told: &mut Told,
    cast: &mut Cast<'_>,
    centre: &Simulator,
    cards: &[FeedItem],
    world: &World,
) -> Result<(), Stopped> {
    let order = cast.zhang.tap(card(cards, "crbt")?, world).await?;
    let prompt = cast.zhang.next_text().await?;
    let code = first_run(&prompt.text, 4).ok_or(Stopped::NoCode)?;
    let line =
        format!("Zhang Wei taps \"{}\" of a designated provider: a text asks first (M11, M12)", order.name);
    told.step(&line, &prompt.text.contains(&code), &true);
    told.screen(cast.zhang.name, &prompt.from, &prompt.text);
    cast.zhang.reply(centre, &prompt.from, &code).await?;
    let order = cast.zhang.follow(&order).await?;
    let line = format!("He replies {code}: the service starts, and only now is it charged (M12, M13)");
    told.step(&line, &outcome(&order), &(Progress::Completed, None));
    let receipt = cast.zhang.next_text().await?;
    told.screen(cast.zhang.name, &receipt.from, &receipt.text);
    Ok(())
}

async fn order_refused(
    told: &mut Told,
    cast: &mut Cast<'_>,
    cards: &[FeedItem],
    world: &World,
) -> Result<(), Stopped> {
    let order = cast.zhang.tap(card(cards, "stars")?, world).await?;
    let order = cast.zhang.follow(&order).await?;
    let line = format!("Zhang Wei taps \"{}\", whose provider has no contract: refused (M11)", order.name);
    told.step(&line, &outcome(&order), &(Progress::Rejected, Some(Reason::ProviderNotDesignated)));
    let order = cast.zhang.tap(card(cards, "data10")?, world).await?;
    let order = cast.zhang.follow(&order).await?;
    let line = format!("He taps \"{}\" once more: refused, he has it already (M9)", order.name);
    told.step(&line, &outcome(&order), &(Progress::Rejected, Some(Reason::AlreadySubscribed)));
    Ok(())
}

async fn answer_wrongly(
    told: &mut Told,
    cast: &mut Cast<'_>,
    centre: &Simulator,
    cards: &[FeedItem],
    world: &World,
) -> Result<(), Stopped> {
    let order = cast.zhang.tap(card(cards, "reading")?, world).await?;
    // Texts about the refused orders may stand before the prompt on the screen.
    let (prompt, code) = loop {
        let text = cast.zhang.next_text().await?;
        told.screen(cast.zhang.name, &text.from, &text.text);
        if let Some(code) = first_run(&text.text, 4) {
            break (text, code);
        }
    };
    let wrong = if code == "1234" { "4321" } else { "1234" };
    cast.zhang.reply(centre, &prompt.from, wrong).await?;
    let order = cast.zhang.follow(&order).await?;
    let line = format!(
        "Zhang Wei taps \"{}\" and replies {wrong}, which is not the code: cancelled, not charged (M12)",
        order.name
    );
    told.step(&line, &outcome(&order), &(Progress::Cancelled, Some(Reason::ConfirmationMismatch)));
    let notice = cast.zhang.next_text().await?;
    told.screen(cast.zhang.name, &notice.from, &notice.text);
    Ok(())
}

async fn charge(told: &mut Told, charging: &Charging) {
    let mut taken = Vec::new();
    for _ in 0..CHARGE_LOOKS {
        let record = charging.record();
        taken = record.iter().map(|event| (event.number.clone(), event.offering.to_string())).collect();
        if taken.len() >= 2 {
            break;
        }
        tokio::time::sleep(CHARGE_GLANCE).await;
    }
    let should = ["data10", "crbt"].map(|id| (ZHANG.to_owned(), id.to_owned())).to_vec();
    let line =
        "The charging system was handed one charge for each of the two that started, and none besides (M19)";
    told.step(line, &taken, &should);
}

async fn take_back(
    told: &mut Told,
    cast: &Cast<'_>,
    services: &[Subscription],
    cards: &[FeedItem],
    world: &World,
) -> Result<(), Stopped> {
    cast.li.unshare(service(services, "crbt")?).await?;
    let shown: Vec<String> = cast.zhang.feed().await?.into_iter().map(|card| card.offering.id).collect();
    let gone = (shown.contains(&"crbt".to_owned()), cast.zhang.try_tap(card(cards, "crbt")?, world).await);
    let line =
        "Li Na takes one share back: it is gone from the feed at once, and its old card orders nothing (M6)";
    told.step(line, &gone, &(false, Some("not-found".to_owned())));
    let (_, changed) = cast.zhang.scan("zhang_wei_without_li.vcf", ZHANG_BOOK_WITHOUT_LI).await?;
    let removed = changed.map(|changed| (changed.added, changed.removed));
    let line =
        "Zhang Wei deletes Li Na from his address book and scans again: only that change is delivered (M2)";
    told.step(line, &removed, &Some((0, 1)));
    let hidden = (
        cast.zhang.feed().await?.len(),
        cast.zhang.try_open(LI).await,
        cast.li.try_open(ZHANG).await,
        cast.zhang.try_tap(card(cards, "reading")?, world).await,
    );
    let none = Some("not-found".to_owned());
    let line = "They match no longer: feed, shares and old cards answer as if the other did not exist (M3)";
    told.step(line, &hidden, &(0, none.clone(), none.clone(), none));
    Ok(())
}

fn outcome(order: &Order) -> (Progress, Option<Reason>) {
    (order.state, order.reason)
}

fn service<'s>(services: &'s [Subscription], id: &str) -> Result<&'s Subscription, Stopped> {
    services.iter().find(|one| one.offering == id).ok_or(Stopped::Missing("a subscribed service"))
}

fn card<'c>(cards: &'c [FeedItem], id: &str) -> Result<&'c FeedItem, Stopped> {
    cards.iter().find(|card| card.offering.id == id).ok_or(Stopped::Missing("a card of the feed"))
}

fn sorted(mut numbers: Vec<String>) -> Vec<String> {
    numbers.sort_unstable();
    numbers
}

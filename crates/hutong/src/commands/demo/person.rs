//! A person in the story: a phone at the simulated centre, and the terminal's library.

use std::path::Path;
use std::time::Duration;

use api::book::BookChanged;
use api::consents::ConsentGiven;
use api::feed::{FeedFilter, FeedItem};
use api::orders::Order;
use api::registration::{BeginRegistration, ConfirmRegistration};
use api::subscriptions::{Audience, Subscription};
use domain::consent::Consent;
use domain::world::World;
use domain::{Msisdn, Region};
use smpp::simulator::{ShownText, Simulator};
use terminal::memory::{FileMemory, Memory};
use terminal::scan::Scan;
use terminal::sync::{Extent, Outcome};
use terminal::{Client, access, setting, sync};

use super::story::Stopped;

/// How long a person waits for a text or for a change: far longer than it takes.
const PATIENCE: Duration = Duration::from_secs(20);
const GLANCE: Duration = Duration::from_millis(20);

pub(super) struct Person<'a> {
    pub(super) name: &'static str,
    number: &'static str,
    client: Client,
    memory: FileMemory,
    centre: &'a Simulator,
    read: usize,
}

impl<'a> Person<'a> {
    pub(super) fn new(
        name: &'static str,
        number: &'static str,
        server: &str,
        directory: &Path,
        centre: &'a Simulator,
    ) -> Result<Self, Stopped> {
        let client = Client::new(server)?;
        let memory = FileMemory::at(directory.join(format!("{}.json", number.trim_start_matches('+'))));
        Ok(Self { name, number, client, memory, centre, read: 0 })
    }

    /// Waits for the next text on this phone's screen.
    pub(super) async fn next_text(&mut self) -> Result<ShownText, Stopped> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while tokio::time::Instant::now() < deadline {
            if let Some(text) = self.centre.texts(self.number).await.into_iter().nth(self.read) {
                self.read += 1;
                return Ok(text);
            }
            tokio::time::sleep(GLANCE).await;
        }
        Err(Stopped::NoText(self.name))
    }

    pub(super) fn reply(
        &self,
        centre: &Simulator,
        to: &str,
        text: &str,
    ) -> impl Future<Output = Result<(), Stopped>> {
        let (number, to, text) = (self.number, to.to_owned(), text.to_owned());
        async move { centre.reply(number, &to, &text).await.map_err(|_| Stopped::NoReply) }
    }

    /// Registers by the code from the text; answers the text.
    pub(super) async fn register(&mut self) -> Result<ShownText, Stopped> {
        let begin = BeginRegistration { number: self.number.to_owned(), locale: Some("zh-CN".to_owned()) };
        let begun = self.client.begin_registration(&begin).await?;
        let text = self.next_text().await?;
        let code = first_run(&text.text, 6).ok_or(Stopped::NoCode)?;
        let consents = [Consent::Upload, Consent::Subscriptions].map(ConsentGiven::Name).to_vec();
        let confirm = ConfirmRegistration { code, device: Some("demo".to_owned()), consents };
        let signed_in = self.client.confirm_registration(begun.registration_id, &confirm).await?;
        let number = Msisdn::parse_e164(&signed_in.subscriber.number).map_err(|_| Stopped::NoCode)?;
        let mut state = self.memory.load()?;
        state.sign_in(self.client.server_url(), &signed_in.token, number);
        self.memory.save(&state)?;
        self.client = self.client.clone().with_token(&signed_in.token);
        Ok(text)
    }

    /// Scans an address-book file and delivers what changed.
    pub(super) async fn scan(
        &self,
        file: &str,
        bytes: &[u8],
    ) -> Result<(Scan, Option<BookChanged>), Stopped> {
        let mut scan = Scan::default();
        scan.add(file, bytes, Region::CN);
        let numbers = scan.matchable_numbers();
        match sync::sync(&self.client, &self.memory, &numbers, Extent::Whole, false).await? {
            Outcome::Delivered(changed) => Ok((scan, Some(changed))),
            Outcome::Unchanged(_) | Outcome::ShrinkUnconfirmed { .. } => Ok((scan, None)),
        }
    }

    pub(super) async fn friends(&self) -> Result<Vec<String>, Stopped> {
        Ok(access::friends(&self.client).await?.into_iter().map(|friend| friend.number).collect())
    }

    /// The services, once the exchange has heard of `count` of them.
    pub(super) async fn services(&self, count: usize) -> Result<Vec<Subscription>, Stopped> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let services = setting::services(&self.client).await?;
            let complete = services.len() >= count && services.iter().all(|one| one.name != one.offering);
            if complete || tokio::time::Instant::now() > deadline {
                return Ok(services);
            }
            tokio::time::sleep(GLANCE).await;
        }
    }

    pub(super) async fn share(&self, service: &Subscription) -> Result<(), Stopped> {
        setting::share(&self.client, service.id, Audience::Matches).await?;
        Ok(())
    }

    /// Tries to share; answers the code of the refusal, if there was one.
    pub(super) async fn try_share(&self, service: &Subscription) -> Option<String> {
        let answer = setting::share(&self.client, service.id, Audience::Matches).await;
        answer.err().and_then(|error| error.code()).map(|code| code.word().to_owned())
    }

    pub(super) async fn unshare(&self, service: &Subscription) -> Result<(), Stopped> {
        Ok(setting::unshare(&self.client, service.id).await?)
    }

    pub(super) async fn feed(&self) -> Result<Vec<FeedItem>, Stopped> {
        Ok(access::feed(&self.client, &FeedFilter::default()).await?)
    }

    /// Looks at one friend's shares; answers the code of the refusal, if there was one.
    pub(super) async fn try_open(&self, friend: &str) -> Option<String> {
        let answer = access::friend_shares(&self.client, friend).await;
        answer.err().and_then(|error| error.code()).map(|code| code.word().to_owned())
    }

    /// Taps a card.
    pub(super) async fn tap(&self, card: &FeedItem, world: &World) -> Result<Order, Stopped> {
        Ok(access::tap(&self.client, &self.memory, &card.share_id, &world.uuid().to_string()).await?)
    }

    /// Taps a card that should be gone; answers the code of the refusal, if there was one.
    pub(super) async fn try_tap(&self, card: &FeedItem, world: &World) -> Option<String> {
        let answer = access::tap(&self.client, &self.memory, &card.share_id, &world.uuid().to_string()).await;
        match answer {
            Err(access::TapError::Server(error)) => error.code().map(|code| code.word().to_owned()),
            _ => None,
        }
    }

    /// Follows an order to where it ends.
    pub(super) async fn follow(&self, order: &Order) -> Result<Order, Stopped> {
        Ok(access::follow(&self.client, order.id, 10, 5).await?)
    }
}

/// The first run of exactly so many digits.
pub(super) fn first_run(text: &str, digits: usize) -> Option<String> {
    text.split(|c: char| !c.is_ascii_digit()).find(|run| run.len() == digits).map(str::to_owned)
}

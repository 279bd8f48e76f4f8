//! Everything that one person can ask, asked.

use http::Method;
use serde_json::{Value, json};

use super::house::{Inside, Person};

/// What to ask about.
pub(crate) struct Questions<'a> {
    /// People to ask for by number.
    pub(crate) people: &'a [Person],
    /// People to take out of the book and put in again.
    pub(crate) relisted: &'a [Person],
    /// People to hide and show again.
    pub(crate) hidden: &'a [Person],
    /// Share ids to order from, whatever they are.
    pub(crate) shares: &'a [String],
    /// The offering of one's own to share by name.
    pub(crate) own: &'a str,
    /// Tells this look's orders from those of another.
    pub(crate) turn: usize,
}

/// Asks it all; answers each question with the bytes that came back.
pub(crate) async fn look(house: &Inside, viewer: &Person, ask: &Questions<'_>) -> Vec<(String, String)> {
    let mut seen = Seen { house, viewer, answers: Vec::new() };
    for path in
        ["me", "me/export", "me/sessions", "book", "book/backup", "subscriptions", "orders", "openapi"]
    {
        seen.get(&format!("/v1/{path}")).await;
    }
    for path in ["/v1/matches?", "/v1/feed?", "/v1/orders?", "/v1/subscriptions?"] {
        seen.pages(path).await;
    }
    for offering in ["crbt", "data10", "reading", "stars", "health", "nothing"] {
        seen.get(&format!("/v1/feed?offering={offering}")).await;
    }
    for person in ask.people {
        seen.get(&format!("/v1/feed?friend={}", person.path())).await;
        seen.pages(&format!("/v1/friends/{}/shares?", person.path())).await;
    }
    for person in ask.hidden {
        let path = format!("/v1/hidden/{}", person.path());
        seen.call(Method::PUT, &path, None).await;
        seen.call(Method::DELETE, &path, None).await;
    }
    let relisted: Vec<&str> = ask.relisted.iter().map(|person| person.number.as_str()).collect();
    for list in ["remove", "add"] {
        seen.call(Method::PATCH, "/v1/book", Some(&json!({ list: relisted }).to_string())).await;
    }
    seen.name_everybody(ask).await;
    for (place, share) in ask.shares.iter().enumerate() {
        seen.tap(share, &format!("tap-{}-{place}", ask.turn)).await;
    }
    seen.get("/v1/me/export").await;
    seen.events(ask.turn).await;
    seen.answers
}

struct Seen<'a> {
    house: &'a Inside,
    viewer: &'a Person,
    answers: Vec<(String, String)>,
}

impl Seen<'_> {
    async fn get(&mut self, path: &str) -> Value {
        self.call(Method::GET, path, None).await
    }

    async fn call(&mut self, method: Method, path: &str, body: Option<&str>) -> Value {
        let answer = self.house.call(self.viewer, method.clone(), path, body, &[]).await;
        self.answers.push((format!("{method} {path} {}", body.unwrap_or_default()), format!("{answer:?}")));
        answer.json()
    }

    async fn tap(&mut self, share: &str, key: &str) -> Value {
        let answer = self.house.tap(self.viewer, share, key).await;
        self.answers.push((format!("a tap on {share} with {key}"), format!("{answer:?}")));
        answer.json()
    }

    /// Follows a list one item a page: no page but a lone one is empty, whatever lies between.
    async fn pages(&mut self, path: &str) {
        let mut next = String::new();
        for page in 0.. {
            let list = self.get(&format!("{path}limit=1{next}")).await;
            let Some(items) = list["items"].as_array() else { return };
            assert!(items.len() == 1 || (page == 0 && list["next"].is_null()), "an empty page of {path}");
            let Some(cursor) = list["next"].as_str() else { return };
            next = format!("&cursor={cursor}");
        }
    }

    /// Shares something of one's own with everybody by name, registered or not, and takes it back.
    async fn name_everybody(&mut self, ask: &Questions<'_>) {
        let Some(id) = self.house.subscription(self.viewer, ask.own).await else { return };
        let path = format!("/v1/subscriptions/{id}/share");
        let named: Vec<&str> = ask.people.iter().map(|person| person.number.as_str()).collect();
        self.call(Method::PUT, &path, Some(&json!({ "audience": { "only": named } }).to_string())).await;
        self.get("/v1/me/export").await;
        self.call(Method::DELETE, &path, None).await;
        self.call(Method::PUT, &path, Some(r#"{"audience":"matches"}"#)).await;
    }

    /// Reads the whole stream: up to the news of an unsubscribing that this look itself orders.
    async fn events(&mut self, turn: usize) {
        let orders = self.get("/v1/orders?limit=1").await;
        let Some(newest) = orders["items"][0]["id"].as_str().map(str::to_owned) else { return };
        // A cancellation of what has ended is refused; either way the newest order has its event by now.
        self.call(Method::POST, &format!("/v1/orders/{newest}/cancel"), None).await;
        let stream = self.house.events(self.viewer, &newest).await;
        self.answers.push((format!("the events of look {turn}"), stream));
    }
}

//! A story with a secret at every place where one could get lost.

use std::convert::Infallible;
use std::sync::Arc;

use api::subscriptions::{Audience, SetShare};
use domain::order::Progress;
use domain::world::{SeededDice, SetClock, World};
use platform::charging::simulator::{Simulator, listen};
use store::{MasterKey, Store};
use tokio::net::TcpListener;

use super::search::Secret;
use crate::house::{House, OPERATOR_TOKEN, digits, eventually, http};
use crate::theft::key_file;

const CHARGING_TOKEN: &str = "canary-token-of-the-charging-system";
const IDEMPOTENCY_KEY: &str = "canary-idempotency-key";
const DEVICE: &str = "Canary telephone of Zhang";
/// People who are nobody here: in a book, among the hidden, in an audience, and in what is refused.
const CONTACT: &str = "13712345671";
const HIDDEN: &str = "13712345672";
const NAMED: &str = "13712345673";
const REFUSED: &str = "13712345674";

/// What must be found nowhere, and what was answered to what makes no sense.
pub(super) struct Lived {
    pub(super) secrets: Vec<Secret>,
    pub(super) codes: Vec<String>,
    pub(super) problems: String,
    /// Somebody's number, who has a history.
    pub(super) number: &'static str,
}

fn world() -> World {
    World::new(Arc::new(SetClock::at_ms(0)), Arc::new(SeededDice::new(1)))
}

/// A charging system, and the flags that name it.
pub(super) async fn charging() -> (Vec<String>, tokio::task::JoinHandle<Infallible>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let simulator = Simulator::new(world());
    let serving = tokio::spawn(async move { listen(simulator, listener).await.unwrap() });
    let flags = ["--charging-port", "webhook", "--charging-url", &url, "--charging-token", CHARGING_TOKEN];
    (flags.map(str::to_owned).to_vec(), serving)
}

/// The end of the address at which the exchange hears the hub; whoever has it can tell lies.
async fn callback_secret(house: &House) -> String {
    let master = MasterKey::in_file(key_file(house));
    let store = match house.database() {
        Some(url) => Store::look_postgres(url, &master, world()).await,
        None => Store::look_embedded(&house.data(), &master, world()),
    };
    let secret = store.unwrap().keys().hash("hub callback", &[]);
    secret.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Answers to what nobody should ask.
async fn problems(house: &House, token: &str) -> String {
    let raw = async |method: reqwest::Method, path: String, body: String| {
        let request = http().request(method, format!("{}{path}", house.api)).bearer_auth(token);
        let request = request
            .header("content-type", "application/json")
            .header("idempotency-key", IDEMPOTENCY_KEY)
            .header("user-agent", format!("phone {REFUSED}"));
        request.body(body).send().await.unwrap().text().await.unwrap()
    };
    let (get, put, post) = (reqwest::Method::GET, reqwest::Method::PUT, reqwest::Method::POST);
    let none = String::new;
    [
        raw(get.clone(), format!("/v1/friends/{REFUSED}/shares"), none()).await,
        raw(get.clone(), format!("/v1/feed?friend={REFUSED}&cursor={REFUSED}"), none()).await,
        raw(get.clone(), format!("/v1/{REFUSED}"), none()).await,
        raw(get, format!("/operator/v1/orders?number={REFUSED}"), none()).await,
        raw(put, "/v1/book".to_owned(), format!("{{\"numbers\":[{REFUSED}]}}")).await,
        raw(post.clone(), "/v1/orders".to_owned(), format!("{{\"share_id\":\"{REFUSED}\"}}")).await,
        raw(post.clone(), "/v1/registrations".to_owned(), format!("{{\"number\":\"+1{REFUSED}\"}}")).await,
        raw(post, format!("/operator/v1/numbers/{REFUSED}/new-owner"), none()).await,
    ]
    .concat()
}

/// People register, share, hide, order, confirm, and leave things half done.
pub(super) async fn live(house: &House) -> Lived {
    let (li, mut zhang) = house.friends().await;
    for offering in ["crbt", "reading"] {
        li.share(offering).await;
    }
    zhang.upload(&[li.number, CONTACT]).await;
    zhang.client.hide(HIDDEN).await.unwrap();
    let service = li.share("data10").await;
    let audience = Audience::Only(vec![format!("+86{NAMED}")]);
    li.client.share(service.id, &SetShare { audience }).await.unwrap();
    let mut wang = house.stranger("+8613512345676");
    let device_token = wang.sign_in_from(DEVICE).await;
    let share_id = zhang.card("crbt").await.share_id;
    // An order that went through with its code, and one whose code waits.
    let (done, from, used) = zhang.prompted("reading", "canary-key-of-the-first-tap").await;
    zhang.reply(&from, &used).await;
    zhang.wait(&done, Progress::Completed).await;
    zhang.next_text().await;
    let (_, _, waiting) = zhang.prompted("crbt", IDEMPOTENCY_KEY).await;
    let problems = problems(house, &zhang.token()).await;
    // A sign-in whose code was never typed.
    let mut late = house.stranger("+8613612345675");
    late.begin().await;
    let unused = digits(&late.next_text().await.1, 6);
    eventually("the charges", async || (house.metric("jobs_due").await == 0.0).then_some(())).await;
    let mut secrets: Vec<Secret> = [li.number, zhang.number, late.number, wang.number]
        .into_iter()
        .map(str::to_owned)
        .chain([CONTACT, HIDDEN, NAMED, REFUSED].map(|number| format!("86{number}")))
        .map(|number| Secret::new("a number", &number))
        .collect();
    for (what, text) in [
        ("a token", li.token()),
        ("a token", zhang.token()),
        ("a token", device_token),
        ("an operator's token", OPERATOR_TOKEN.to_owned()),
        ("the charging token", CHARGING_TOKEN.to_owned()),
        ("the hub's secret", callback_secret(house).await),
        ("an idempotency key", IDEMPOTENCY_KEY.to_owned()),
        ("an idempotency key", "canary-key-of-the-first-tap".to_owned()),
        ("a share's id", share_id),
        ("a device's name", DEVICE.to_owned()),
        // A code would stand beside the words of its text.
        ("a text", "确认订购".to_owned()),
        ("a text", "登录验证码".to_owned()),
    ] {
        secrets.push(Secret::new(what, &text));
    }
    Lived { secrets, codes: vec![used, waiting, unused], problems, number: zhang.number }
}

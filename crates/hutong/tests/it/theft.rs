//! What a thief finds: in the data, the logs, the metrics, the dumps; and what a key file is worth.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use domain::order::Progress;

use crate::house::{House, Person, digits, eventually, http};

fn hutong(house: &House, arguments: &[&str]) -> Output {
    let data = house.data();
    Command::new(env!("CARGO_BIN_EXE_hutong"))
        .args(arguments)
        .arg("--data")
        .arg(&data)
        .args(["--listen", house.api.trim_start_matches("http://")])
        .current_dir(data.parent().unwrap())
        .output()
        .unwrap()
}

fn key_file(house: &House) -> PathBuf {
    house.data().with_extension("key")
}

/// Exchanges the key five times while people upload, read and order.
async fn rotate_under_load(house: &House, li: &Person<'_>, zhang: &Person<'_>) {
    let (over, rounds) = (AtomicBool::new(false), AtomicUsize::new(0));
    let uploads = async {
        while !over.load(SeqCst) {
            for numbers in [&[li.number, "+8613700137003"][..], &[li.number]] {
                zhang.upload(numbers).await;
                rounds.fetch_add(1, SeqCst);
            }
        }
    };
    let reads = async {
        while !over.load(SeqCst) {
            assert_eq!(zhang.feed().await.len(), 2);
            assert_eq!(li.matches().await, [zhang.number]);
        }
    };
    let orders = async {
        for n in 0.. {
            let order = zhang.tap("data10", &format!("key-{n}")).await;
            let order = zhang.client.order(order.id, 5).await.unwrap();
            assert!(order.state.is_final(), "{:?}", order.state);
            if over.load(SeqCst) {
                break;
            }
        }
    };
    let rotations = async {
        let mut files = vec![std::fs::read(key_file(house)).unwrap()];
        for _ in 0..5 {
            let before = rounds.load(SeqCst);
            let output = tokio::task::block_in_place(|| hutong(house, &["keys", "rotate"]));
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let now = std::fs::read(key_file(house)).unwrap();
            assert!(!files.contains(&now), "the file is as it was");
            files.push(now);
            // Some load between two.
            while rounds.load(SeqCst) < before + 4 {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        }
        over.store(true, SeqCst);
    };
    tokio::join!(uploads, reads, orders, rotations);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_master_key_is_exchanged_under_load_and_no_request_notices() {
    let mut house = House::start().await;
    let (li, zhang) = house.friends().await;
    li.share("crbt").await;
    li.share("data10").await;
    let first = std::fs::read(key_file(&house)).unwrap();
    rotate_under_load(&house, &li, &zhang).await;
    // The tokens of devices, the catalogue's door and the waiting codes are what they were.
    let order = zhang.tap("crbt", "last").await;
    let prompt = eventually("the prompt", async || {
        let texts = house.centre.texts(zhang.number).await;
        texts.into_iter().find(|text| text.text.contains("彩铃") && text.text.contains("回复"))
    })
    .await;
    let code = digits(&prompt.text, 4);
    let output = hutong(&house, &["keys", "rotate"]);
    assert!(output.status.success());
    zhang.reply(&prompt.from, &code).await;
    zhang.wait(&order, Progress::Completed).await;
    let token = zhang.token();
    drop((li, zhang));
    house.kill_and_restart().await;
    let me = http().get(format!("{}/v1/me", house.api)).bearer_auth(token).send().await.unwrap();
    assert_eq!(me.status(), 200);
    assert!(house.terminate());
    let checked = hutong(&house, &["check"]);
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    // Whoever stole the first file has nothing.
    let last = std::fs::read(key_file(&house)).unwrap();
    std::fs::write(key_file(&house), &first).unwrap();
    let refused = hutong(&house, &["serve"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("not the one"));
    std::fs::write(key_file(&house), &last).unwrap();
    house.restart().await;
    house.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_key_file_or_with_another_the_server_does_not_start() {
    let mut house = House::start().await;
    assert!(house.terminate());
    let good = std::fs::read(key_file(&house)).unwrap();
    std::fs::remove_file(key_file(&house)).unwrap();
    let refused = hutong(&house, &["serve"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("missing"));
    assert!(!key_file(&house).exists());
    for arguments in [&["check"][..], &["keys", "rotate"]] {
        assert_eq!(hutong(&house, arguments).status.code(), Some(1), "{arguments:?}");
        assert!(!key_file(&house).exists());
    }
    std::fs::write(key_file(&house), &good[..good.len() - 9]).unwrap();
    let refused = hutong(&house, &["serve"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(!String::from_utf8_lossy(&refused.stderr).contains("listening"));
}

/// A secret in each form in which it could be written down.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let mut forms = vec![secret.as_bytes().to_vec()];
    forms.push(secret.encode_utf16().flat_map(u16::to_be_bytes).collect());
    forms.push(secret.encode_utf16().flat_map(u16::to_le_bytes).collect());
    forms.push(secret.bytes().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect());
    if let Ok(number) = secret.parse::<u64>()
        && secret.len() > 9
    {
        // Seven octets: the eighth is zero in either order, and SQLite leaves it out.
        forms.push(number.to_be_bytes()[2..].to_vec());
        forms.push(number.to_le_bytes()[..6].to_vec());
        let nibbles: Vec<u8> = secret.bytes().map(|digit| digit - b'0').collect();
        forms.push(nibbles.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect());
        forms.push(nibbles.chunks_exact(2).map(|pair| pair[1] << 4 | pair[0]).collect());
    }
    forms
}

/// Where a secret stands in some bytes, in whatever form.
fn found(secret: &str, bytes: &[u8]) -> bool {
    forms(secret).iter().any(|form| bytes.windows(form.len()).any(|window| window == form))
}

/// A number as it is dialled at home, and with its country code.
fn both_forms(number: &str) -> [String; 2] {
    let local = number.trim_start_matches("+86");
    [local.to_owned(), format!("86{local}")]
}

fn files_under(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_under(&path) } else { vec![path] }).collect()
}

#[test]
fn the_search_finds_what_is_there_in_every_form() {
    let secret = "8613912345678";
    for form in forms(secret) {
        let planted = [&b"before"[..], &form, b"after"].concat();
        assert!(found(secret, &planted));
    }
    assert!(!found(secret, b"8613912345679 and more"));
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_data_nor_logs_nor_metrics_nor_dumps_hold_a_number_a_code_or_a_token() {
    let house = House::start_logging("trace").await;
    let (li, mut zhang) = house.friends().await;
    li.share("crbt").await;
    // People who are nobody here, in a book, among the hidden, in an audience, and in what is refused.
    let (contact, hidden, named, refused) = ("13712345671", "13712345672", "13712345673", "13712345674");
    zhang.upload(&[li.number, contact]).await;
    zhang.client.hide(hidden).await.unwrap();
    let service = li.share("data10").await;
    let audience = api::subscriptions::Audience::Only(vec![format!("+86{named}")]);
    li.client.share(service.id, &api::subscriptions::SetShare { audience }).await.unwrap();
    let raw = async |method: reqwest::Method, path: String, body: String| {
        let request = http().request(method, format!("{}{path}", house.api)).bearer_auth(zhang.token());
        let request = request
            .header("content-type", "application/json")
            .header("idempotency-key", "canary-idempotency-key")
            .header("user-agent", format!("phone {refused}"));
        request.body(body).send().await.unwrap().text().await.unwrap()
    };
    let problems = [
        raw(reqwest::Method::GET, format!("/v1/friends/{refused}/shares"), String::new()).await,
        raw(reqwest::Method::GET, format!("/v1/feed?friend={refused}&cursor={refused}"), String::new()).await,
        raw(reqwest::Method::GET, format!("/v1/{refused}"), String::new()).await,
        raw(reqwest::Method::PUT, "/v1/book".to_owned(), format!("{{\"numbers\":[{refused}]}}")).await,
        raw(reqwest::Method::POST, "/v1/orders".to_owned(), format!("{{\"share_id\":\"{refused}\"}}")).await,
        raw(reqwest::Method::POST, "/v1/registrations".to_owned(), format!("{{\"number\":\"+1{refused}\"}}"))
            .await,
    ];
    // An order whose code waits, and one that went through.
    let (_, _, waiting) = zhang.prompted("crbt", "canary-idempotency-key").await;
    // A sign-in whose code was never typed.
    let mut late = house.stranger("+8613612345675");
    late.begin().await;
    let unused = digits(&late.next_text().await.1, 6);
    let metrics =
        http().get(format!("{}/metrics", house.metrics)).send().await.unwrap().text().await.unwrap();
    let ready = http().get(format!("{}/readyz", house.metrics)).send().await.unwrap().text().await.unwrap();

    let canaries = [li.number, zhang.number, late.number, contact, hidden, named, refused];
    let mut secrets: Vec<String> = canaries.iter().flat_map(|number| both_forms(number)).collect();
    secrets.extend([li.token(), zhang.token(), crate::house::OPERATOR_TOKEN.to_owned()]);
    let mut places: Vec<(String, Vec<u8>)> = files_under(&house.data())
        .into_iter()
        .map(|path| (path.display().to_string(), std::fs::read(&path).unwrap()))
        .collect();
    assert!(places.iter().any(|(name, bytes)| name.ends_with("-wal") && !bytes.is_empty()));
    places.push(("the log".to_owned(), house.log().join("\n").into_bytes()));
    places.push(("the metrics".to_owned(), metrics.into_bytes()));
    places.push(("readiness".to_owned(), ready.into_bytes()));
    places.push(("problems".to_owned(), problems.concat().into_bytes()));
    for (place, bytes) in &places {
        for secret in &secrets {
            assert!(
                !found(secret, bytes),
                "{place} holds a secret that ends in …{}",
                &secret[secret.len() - 2..]
            );
        }
        // Four and six digits occur by chance in binary data: these are looked for where people read.
        if !place.contains("hutong.sqlite") {
            for code in [&waiting, &unused] {
                let text = String::from_utf8_lossy(bytes);
                let runs = text.split(|c: char| !c.is_ascii_digit());
                assert!(!runs.into_iter().any(|run| run == code), "{place} holds a code");
            }
        }
    }
    // In the database a code would stand beside the words of its text, or as a text of its own.
    for (place, bytes) in &places {
        for words in ["确认订购", "登录验证码", "canary-idempotency-key"] {
            assert!(!found(words, bytes), "{place} holds the text of a message or a key");
        }
    }
    house.end().await;
}

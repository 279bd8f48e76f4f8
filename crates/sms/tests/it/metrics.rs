//! What operators watch: how each bind stands, its window, throttles, unknown outcomes, and how old the queue is.

use std::time::Duration;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use smpp::simulator::Faults;
use store::texts::{TextPurpose, TextState};

use crate::bench::{Bench, Running, centre, soon};

/// The value of a series whose labels hold all of these words.
fn value(metrics: &PrometheusHandle, name: &str, words: &[&str]) -> Option<f64> {
    let page = metrics.render();
    let of_series = |line: &&str| {
        let named = line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{']));
        named && words.iter().all(|word| line.contains(word))
    };
    page.lines().find(of_series)?.rsplit(' ').next()?.parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_centre_shows_its_binds_window_throttles_and_unknown_outcomes_and_the_queue_its_age() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    // The process has one recorder, and no other test of this program has any.
    metrics::set_global_recorder(recorder).unwrap();

    let (bench, good) = (Bench::new(), centre(Faults { throttle_every: 2, ..Faults::default() }).await);
    let at = good.smpp_addr().to_string();
    let of_good = [at.as_str()];
    let running = Running::start(&bench, good.smpp_addr());
    bench.until(async || value(&metrics, "sms_bound", &of_good) == Some(1.0)).await;
    for text in ["1", "2", "3"] {
        let id = bench.queue(TextPurpose::SignIn, text).await;
        bench.comes_to(id, TextState::Delivered).await;
    }
    assert!(value(&metrics, "sms_throttled_total", &of_good).is_some_and(|count| count >= 1.0));
    assert_eq!(value(&metrics, "sms_unknown_total", &of_good), None);
    assert!(value(&metrics, "sms_texts_total", &["outcome=\"delivered\""]).is_some_and(|count| count >= 3.0));
    soon(running.stop()).await;
    assert_eq!(value(&metrics, "sms_bound", &of_good), Some(0.0));

    // Nobody is bound: the queue grows old.
    let id = bench.queue(TextPurpose::SignIn, "4").await;
    let silent = centre(Faults { no_answer_every: 1, ..Faults::default() }).await;
    silent.set_faults(Faults { bind_silent: true, ..Faults::default() });
    let at = silent.smpp_addr().to_string();
    let of_silent = [at.as_str()];
    let running = Running::start_with(&bench, silent.smpp_addr(), |config| {
        config.bind.response_timeout = Duration::from_secs(2);
        config.bind.bind_timeout = Duration::from_secs(1);
    });
    bench.until(async || value(&metrics, "sms_queue_oldest_s", &[]).is_some_and(|age_s| age_s > 10.0)).await;
    assert_eq!(value(&metrics, "sms_queued", &[]), Some(1.0));
    assert_eq!(value(&metrics, "sms_bound", &of_silent), Some(0.0));
    let away = || value(&metrics, "sms_binds_total", &[&at, "away"]);
    bench.until(async || away().is_some_and(|count| count >= 1.0)).await;

    // It takes the bind, and answers no submit.
    silent.set_faults(Faults { no_answer_every: 1, receipts_off: true, ..Faults::default() });
    bench.until(async || value(&metrics, "sms_window_in_use", &of_silent) == Some(1.0)).await;
    bench.comes_to(id, TextState::Unknown).await;
    assert_eq!(value(&metrics, "sms_unknown_total", &of_silent), Some(1.0));
    soon(running.stop()).await;
}

//! Logs on stderr and, for the servers, metrics for Prometheus.

use std::io::IsTerminal;

use tracing::{Level, Metadata};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

/// What is logged, in the language of tracing's filters, such as `info,sms=debug`.
const LOG_VARIABLE: &str = "HUTONG_LOG";

/// `json` or `text`; without it, text on a terminal and JSON elsewhere.
const FORMAT_VARIABLE: &str = "HUTONG_LOG_FORMAT";

/// Commands are quiet; servers tell where they listen and what they refuse to do.
const FILTER_DEFAULT: &str = "warn,hutong=info,contacts=info,exchange=info,platform=info,sms=info,store=info";

/// Whose debugging words are known to hold nothing of a person.
const OURS: &[&str] = &[
    "contacts", "edge", "exchange", "hutong", "matching", "operator", "platform", "sms", "smpp", "store",
    "terminal", "tmf",
];

/// Libraries write whole requests down where they are asked to be talkative, and numbers stand in those:
/// below `info` they are silent, whatever the filter says.
fn may_be_logged(metadata: &Metadata<'_>) -> bool {
    let room = metadata.target().split("::").next().unwrap_or_default();
    *metadata.level() <= Level::INFO || OURS.contains(&room)
}

/// Starts the log on stderr; stdout belongs to the data.
pub(crate) fn start_logs() {
    let wanted = std::env::var(LOG_VARIABLE).ok().filter(|text| !text.trim().is_empty());
    let (filter, refused) = match wanted.as_deref().map(EnvFilter::try_new) {
        Some(Ok(filter)) => (filter, None),
        Some(Err(error)) => (EnvFilter::new(FILTER_DEFAULT), Some(error)),
        None => (EnvFilter::new(FILTER_DEFAULT), None),
    };
    let on_terminal = std::io::stderr().is_terminal();
    let as_json = match std::env::var(FORMAT_VARIABLE).as_deref() {
        Ok("json") => true,
        Ok("text") => false,
        _ => !on_terminal,
    };
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = if as_json {
        lines.json().flatten_event(true).with_current_span(true).with_span_list(false).boxed()
    } else {
        lines.with_ansi(on_terminal).boxed()
    };
    let log = tracing_subscriber::registry().with(filter).with(lines.with_filter(filter_fn(may_be_logged)));
    // A second start, as in tests, keeps the first log.
    let _ = log.try_init();
    if let Some(error) = refused {
        tracing::warn!(
            error = %error,
            "{LOG_VARIABLE} cannot be read, so the usual log is kept; write it like info,sms=debug"
        );
    }
}

#[cfg(feature = "server")]
pub(crate) use counting::{Metrics, start_metrics};

#[cfg(feature = "server")]
mod counting {
    use std::time::Duration;

    use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

    use crate::failure::Failure;

    /// Upper bounds in seconds: from a read out of memory (0.5 ms) to the longest request (60 s).
    const SECONDS: &[f64] =
        &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

    /// Upper bounds for counts, such as the writes of one commit: powers of two up to the batch limit.
    const COUNTS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

    /// Pause between two clean-ups of the recorder; histograms hold their samples until then.
    const UPKEEP_EVERY: Duration = Duration::from_secs(5);

    /// The recorder's face for `/metrics`.
    #[derive(Clone)]
    pub(crate) struct Metrics(PrometheusHandle);

    impl Metrics {
        /// Everything counted so far, in the text format of Prometheus.
        pub(crate) fn render(&self) -> String {
            self.0.render()
        }

        /// Keeps the recorder's memory small; runs until it is dropped.
        pub(crate) async fn keep_small(self) {
            loop {
                tokio::time::sleep(UPKEEP_EVERY).await;
                self.0.run_upkeep();
            }
        }
    }

    /// Starts counting for the whole process; once only.
    ///
    /// # Errors
    /// A [`Failure`] when counting runs already.
    pub(crate) fn start_metrics() -> Result<Metrics, Failure> {
        let handle = builder()
            .and_then(PrometheusBuilder::install_recorder)
            .map_err(|error| Failure::user("the metrics cannot be counted").because(&error))?;
        metrics::gauge!("build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        Ok(Metrics(handle))
    }

    fn builder() -> Result<PrometheusBuilder, metrics_exporter_prometheus::BuildError> {
        PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)?
            .set_buckets_for_metric(Matcher::Suffix("_writes".to_owned()), COUNTS)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_histogram_in_seconds_has_buckets_and_not_quantiles() {
            let recorder = builder().unwrap().build_recorder();
            let handle = recorder.handle();
            metrics::with_local_recorder(&recorder, || {
                metrics::histogram!("http_request_seconds").record(0.002);
            });
            let text = handle.render();
            assert!(text.contains("http_request_seconds_bucket{le=\"0.0025\"} 1"), "{text}");
            assert!(!text.contains("quantile"), "{text}");
        }
    }
}

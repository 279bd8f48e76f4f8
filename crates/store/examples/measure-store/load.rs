//! Clients at work side by side, and what they saw.

use std::future::Future;
use std::time::{Duration, Instant};

/// Runs clients for a time, each one operation after the other; prints how many a second, and latencies.
///
/// `operate` does an operation of a client, given by the client's number and the operation's. With `pace`, so many
/// operations a second are begun by the clock, whatever became of those before, and the latency counts from when each
/// was due: a stall is seen by all that it holds up.
pub(crate) async fn run<C, F>(
    what: &str,
    clients: Vec<C>,
    time: Duration,
    pace: Option<f64>,
    operate: F,
) -> f64
where
    C: Send + 'static,
    F: AsyncClient<C>,
{
    let begun = Instant::now();
    let count = clients.len();
    let mut at_work = Vec::new();
    for (number, mut client) in clients.into_iter().enumerate() {
        let operate = operate.clone();
        at_work.push(tokio::spawn(async move {
            let every = pace.map(|pace| Duration::from_secs_f64(count as f64 / pace));
            // Clients do not begin all at once.
            let mut due =
                begun + every.map_or(Duration::ZERO, |every| every.mul_f64(number as f64 / count as f64));
            let mut latencies = Vec::new();
            while begun.elapsed() < time {
                match every {
                    Some(_) => tokio::time::sleep_until(due.into()).await,
                    None => due = Instant::now(),
                }
                client = operate.operate(client).await;
                latencies.push(due.elapsed().as_secs_f64() * 1e3);
                due += every.unwrap_or_default();
            }
            latencies
        }));
    }
    let mut latencies = Vec::new();
    for client in at_work {
        latencies.extend(client.await.unwrap());
    }
    let rate = latencies.len() as f64 / begun.elapsed().as_secs_f64();
    report(what, count, rate, latencies);
    rate
}

/// One operation of a client, which is given back.
pub(crate) trait AsyncClient<C>: Clone + Send + 'static {
    fn operate(&self, client: C) -> impl Future<Output = C> + Send;
}

impl<C, F, R> AsyncClient<C> for F
where
    F: Fn(C) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = C> + Send,
    C: Send,
{
    fn operate(&self, client: C) -> impl Future<Output = C> + Send {
        self(client)
    }
}

/// Prints a figure.
pub(crate) fn report(what: &str, clients: usize, rate: f64, mut latencies: Vec<f64>) {
    latencies.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let place = (latencies.len() as f64 * share) as usize;
        latencies.get(place.min(latencies.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
    };
    println!(
        "{{\"what\":\"{what}\",\"clients\":{clients},\"a_second\":{rate:.0},\"p50_ms\":{:.3},\"p99_ms\":{:.3},\"most_ms\":{:.1}}}",
        at(0.5),
        at(0.99),
        at(1.0)
    );
}

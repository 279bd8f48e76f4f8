//! A circuit breaker: while the other side does not answer, it is left alone but for a look from time to time.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use domain::world::{World, after_seconds};
use futures::future::BoxFuture;
use http::{Request, Response, StatusCode};
use jiff::Timestamp;

use crate::transport::{Transport, TransportError};

/// Failures after one another that open it.
const FAILURES_MAX: u32 = 5;
/// How long it stays open at first; doubled by each look in vain.
const PAUSE_S: i64 = 1;
const PAUSE_S_MAX: i64 = 30;

/// A transport that is not tried while it has just failed several times after one another. What is not tried was
/// certainly not sent.
pub struct Breaker {
    inner: Arc<dyn Transport>,
    world: World,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    failures: u32,
    pause_s: i64,
    /// Nobody is let through before.
    shut_until: Option<Timestamp>,
}

impl Breaker {
    /// Guards a transport.
    pub fn new(inner: Arc<dyn Transport>, world: World) -> Self {
        Self { inner, world, state: Mutex::default() }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a call may go through; of those that come when the pause is over, the first, which looks.
    fn lets_through(&self) -> bool {
        let (mut state, now) = (self.state(), self.world.now());
        match state.shut_until {
            None => true,
            // A clock that was set back must not shut it for longer than a pause.
            Some(until) if now < until && until <= after_seconds(now, PAUSE_S_MAX) => false,
            Some(_) => {
                state.shut_until = Some(after_seconds(now, state.pause_s));
                true
            }
        }
    }

    fn note(&self, answered: bool) {
        let (mut state, now) = (self.state(), self.world.now());
        if answered {
            if state.shut_until.is_some() {
                tracing::info!("the operator's platform answers again");
            }
            *state = State::default();
            return;
        }
        state.failures = state.failures.saturating_add(1);
        if state.failures >= FAILURES_MAX {
            if state.shut_until.is_none() {
                tracing::warn!(
                    "the operator's platform does not answer; it is asked again from time to time"
                );
            }
            state.pause_s = (state.pause_s * 2).clamp(PAUSE_S, PAUSE_S_MAX);
            state.shut_until = Some(after_seconds(now, state.pause_s));
        }
    }
}

impl Transport for Breaker {
    fn call(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(async move {
            if !self.lets_through() {
                return Err(TransportError::NotSent);
            }
            let answer = self.inner.call(request).await;
            self.note(answer.as_ref().is_ok_and(|answer| !is_trouble(answer.status())));
            answer
        })
    }
}

/// Whether a status tells of trouble at the other side, and not of this one call.
fn is_trouble(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use domain::world::{SeededDice, SetClock};

    use super::*;

    struct Other {
        asked: AtomicU32,
        status: Mutex<Option<u16>>,
    }

    impl Transport for Other {
        fn call(&self, _: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            let status = *self.status.lock().unwrap();
            Box::pin(async move {
                let status = status.ok_or(TransportError::Unknown)?;
                Ok(Response::builder().status(status).body(Bytes::new()).unwrap())
            })
        }
    }

    struct Bench {
        other: Arc<Other>,
        clock: Arc<SetClock>,
        breaker: Breaker,
    }

    impl Bench {
        fn new() -> Self {
            let other = Arc::new(Other { asked: AtomicU32::new(0), status: Mutex::new(None) });
            let clock = Arc::new(SetClock::at_ms(1_000_000_000_000));
            let world = World::new(clock.clone(), Arc::new(SeededDice::new(1)));
            Self { breaker: Breaker::new(other.clone(), world), other, clock }
        }

        async fn call(&self) -> Result<u16, TransportError> {
            let answer = self.breaker.call(Request::get("/").body(Bytes::new()).unwrap()).await;
            answer.map(|answer| answer.status().as_u16())
        }

        fn asked(&self) -> u32 {
            self.other.asked.load(Ordering::Relaxed)
        }
    }

    #[tokio::test]
    async fn who_does_not_answer_is_left_alone_for_longer_and_longer_and_a_look_finds_them_back() {
        let bench = Bench::new();
        for _ in 0..FAILURES_MAX {
            assert_eq!(bench.call().await, Err(TransportError::Unknown));
        }
        assert_eq!(bench.call().await, Err(TransportError::NotSent));
        assert_eq!(bench.asked(), FAILURES_MAX);
        bench.clock.advance_s(PAUSE_S);
        assert_eq!(bench.call().await, Err(TransportError::Unknown), "one looks");
        assert_eq!(bench.call().await, Err(TransportError::NotSent), "and nobody else");
        bench.clock.advance_s(PAUSE_S);
        assert_eq!(bench.call().await, Err(TransportError::NotSent), "the pause is longer now");
        bench.clock.advance_s(PAUSE_S);
        *bench.other.status.lock().unwrap() = Some(200);
        assert_eq!(bench.call().await, Ok(200));
        assert_eq!(bench.call().await, Ok(200));
        assert_eq!(bench.asked(), FAILURES_MAX + 3);
    }

    #[tokio::test]
    async fn refusals_of_single_calls_open_nothing_and_errors_of_the_server_do() {
        let bench = Bench::new();
        *bench.other.status.lock().unwrap() = Some(404);
        for _ in 0..3 * FAILURES_MAX {
            assert_eq!(bench.call().await, Ok(404));
        }
        *bench.other.status.lock().unwrap() = Some(503);
        for _ in 0..FAILURES_MAX {
            assert_eq!(bench.call().await, Ok(503));
        }
        assert_eq!(bench.call().await, Err(TransportError::NotSent));
        // However far the clock is set back, it is shut for a pause at most.
        bench.clock.advance_s(-86_400);
        assert_eq!(bench.call().await, Ok(503));
    }
}

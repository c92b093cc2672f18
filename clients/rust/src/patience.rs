//! When a helper asks again what was refused, and when it gives up.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::{sleep_until, Instant};
use tonic::Code;

use crate::error::SentimentError;

const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// Those that were refused together must not come back together.
const JITTER: f64 = 0.2;
/// In place of for ever, which clocks cannot add.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// A moment from now, also where `wait` is out of all bounds.
pub(crate) fn from_now(wait: Duration) -> Instant {
    Instant::now() + wait.min(LONGEST)
}

/// As long as the server asks for, else twice as long after each refusal.
pub(crate) fn wait_after(error: &SentimentError, refusals: u32) -> Duration {
    let doubled = FIRST_WAIT.saturating_mul(1 << refusals.saturating_sub(1).min(10)).min(LONGEST_WAIT);
    let wait = error.retry_after().unwrap_or(doubled).min(LONGEST);
    wait.mul_f64(1.0 + JITTER * fastrand::f64())
}

/// Shared by all calls of a helper: an answer to one is a sign of life for all.
pub(crate) struct Patience {
    give_up_after: Duration,
    last: Mutex<Last>,
}

struct Last {
    answer: Instant,
    /// Since that answer: an older one says nothing of why it gives up.
    refusal: Option<SentimentError>,
}

impl Patience {
    pub fn new(give_up_after: Duration) -> Self {
        let last = Last { answer: Instant::now(), refusal: None };
        Self { give_up_after: give_up_after.min(LONGEST), last: Mutex::new(last) }
    }

    /// Something was answered.
    pub fn heard(&self) {
        *self.last() = Last { answer: Instant::now(), refusal: None };
    }

    pub fn refused(&self, error: SentimentError) {
        self.last().refusal = Some(error);
    }

    /// Whoever was asked nothing before `since` owed no answer.
    pub fn gives_up_at(&self, since: Instant) -> Instant {
        self.last().answer.max(since) + self.give_up_after
    }

    /// Until it gives up.
    pub async fn end(&self, since: Instant) {
        // An answer to another call may come meanwhile.
        while Instant::now() < self.gives_up_at(since) {
            sleep_until(self.gives_up_at(since)).await;
        }
    }

    /// The last refusal, or that nothing was said at all.
    pub fn given_up(&self) -> SentimentError {
        let silent = || SentimentError::new(Code::Unavailable, format!("no answer for {:?}", self.give_up_after));
        self.last().refusal.clone().unwrap_or_else(silent)
    }

    fn last(&self) -> std::sync::MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::{wait_after, Code, Duration, Instant, Patience, SentimentError};

    #[test]
    fn waits_double_up_to_five_seconds() {
        let error = SentimentError::new(Code::Unavailable, "gone");
        for (refusals, expected) in [(1, 0.1), (2, 0.2), (3, 0.4), (7, 5.0), (4000, 5.0)] {
            let wait = wait_after(&error, refusals).as_secs_f64();
            assert!((expected..=expected * 1.2001).contains(&wait), "{wait} is not about {expected}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_to_another_call_makes_it_wait_on() {
        let patience = Patience::new(Duration::from_secs(60));
        let since = Instant::now();
        let ((), ()) = tokio::join!(patience.end(since), async {
            tokio::time::sleep(Duration::from_secs(40)).await;
            patience.heard();
        });
        assert_eq!(since.elapsed(), Duration::from_secs(100));
        assert!(timeout(Duration::from_secs(59), patience.end(Instant::now())).await.is_err());
    }

    #[tokio::test]
    async fn a_refusal_from_before_the_last_answer_is_not_why_it_gives_up() {
        let patience = Patience::new(Duration::from_secs(60));
        patience.refused(SentimentError::new(Code::ResourceExhausted, "slow down"));
        assert_eq!(patience.given_up().code(), Code::ResourceExhausted);
        patience.heard();
        assert_eq!(patience.given_up().to_string(), "Unavailable: no answer for 60s");
    }
}

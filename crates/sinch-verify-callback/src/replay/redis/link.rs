//! The connection to Redis, and when it is given up.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, Cmd, FromRedisValue, RedisResult};

/// One connection, which is made when it is first used.
///
/// The manager makes it again once the system says that it is lost. A peer that
/// is gone without a word (a failover, a NAT that forgot) is no loss to the
/// system for a quarter of an hour, and the [`ReplayGuard`](crate::ReplayGuard)
/// drops commands long before. So this notes since when nothing was answered,
/// and takes a new manager when that is too long.
pub(super) struct Link {
    client: Client,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    manager: Option<ConnectionManager>,
    /// How many managers there were: an answer of one says nothing of the next.
    made: u64,
    /// When it was asked what it has not answered, and nothing since.
    silent_since: Option<Instant>,
}

impl Link {
    /// How long a connection may take to be made.
    const CONNECT: Duration = Duration::from_secs(1);

    pub(super) fn new(client: Client) -> Self {
        Self {
            client,
            state: Mutex::default(),
        }
    }

    /// Sends a command, over another connection when this one has been silent
    /// for longer than `silence`.
    pub(super) async fn query<T: FromRedisValue>(&self, command: &Cmd, silence: Duration) -> RedisResult<T> {
        let (mut manager, made) = self.asked(Instant::now(), silence)?;
        let answer = command.query_async(&mut manager).await;
        // An error is an answer too: whoever gives one knows of the connection's state.
        self.answered(made);
        answer
    }

    fn asked(&self, now: Instant, silence: Duration) -> RedisResult<(ConnectionManager, u64)> {
        let mut state = self.state();
        let silent_since = *state.silent_since.get_or_insert(now);
        if now.saturating_duration_since(silent_since) > silence {
            tracing::warn!("redis answers nothing; its connection is given up");
            // Closed once the last command that waits on it is dropped.
            state.manager = None;
            state.silent_since = Some(now);
        }
        if let Some(manager) = &state.manager {
            return Ok((manager.clone(), state.made));
        }
        let manager = ConnectionManager::new_lazy_with_config(self.client.clone(), config())?;
        state.manager = Some(manager.clone());
        state.made += 1;
        Ok((manager, state.made))
    }

    fn answered(&self, made: u64) {
        let mut state = self.state();
        if state.made == made {
            state.silent_since = None;
        }
    }

    /// No code that holds the lock can panic halfway, so a poisoned one is whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn config() -> ConnectionManagerConfig {
    ConnectionManagerConfig::new()
        .set_connection_timeout(Some(Link::CONNECT))
        // The guard limits the time, and so says what a late answer means.
        .set_response_timeout(None)
        // The next callback is the next try: none waits for a Redis that is away.
        .set_number_of_retries(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_silence_gives_a_connection_up() {
        let link = Link::new(Client::open("redis://127.0.0.1:1/").unwrap());
        let (begin, limit) = (Instant::now(), Duration::from_secs(1));
        let asked = |seconds: f64| {
            let now = begin + Duration::from_secs_f64(seconds);
            link.asked(now, limit).unwrap().1
        };
        // An hour in which nobody asks is no silence.
        assert_eq!(asked(0.0), 1);
        link.answered(1);
        assert_eq!(asked(3600.0), 1);
        // It counts from the first that was not answered, and not from the last.
        assert_eq!((asked(3600.9), asked(3601.0), asked(3601.1)), (1, 1, 2));
        // A late answer of the first connection says nothing of the second.
        link.answered(1);
        assert_eq!((asked(3602.1), asked(3602.2)), (2, 3));
        link.answered(3);
        assert_eq!((asked(3603.0), asked(3604.0)), (3, 3));
    }
}

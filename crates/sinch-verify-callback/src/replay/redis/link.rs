//! The shared connection to Redis, and when it is replaced.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::{ErrorKind, Pipeline, RedisError, RedisResult, Value};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::endpoint::Endpoint;

/// One answer for each command: a value, or the server's error.
pub(super) type Answers = Vec<RedisResult<Value>>;

/// How long a store waits, and for what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// A connection that has answered nothing for this long is replaced.
    pub(super) silence: Duration,
    /// A command is sent again for this long.
    pub(super) retry: Duration,
}

/// One connection, which is made when it is first used.
///
/// The system reports most losses, but not all: after a failover, or when a NAT
/// or a balancer forgot the connection, packets get no answer for a quarter of
/// an hour, and the [`ReplayGuard`](crate::ReplayGuard) drops commands long
/// before. So this notes since when nothing was answered.
pub(super) struct Link {
    endpoint: Arc<Endpoint>,
    state: Mutex<State>,
}

struct State {
    connection: Option<Connection>,
    /// The number of connections so far: an answer of one says nothing of the next.
    made: u64,
    pulse: Pulse,
}

/// What the connection has done last.
#[derive(Clone, Copy)]
enum Pulse {
    /// It answered then, and no command was sent since.
    Idle(Instant),
    /// A command was sent then, and nothing was answered since.
    Waiting(Instant),
}

impl Link {
    /// Balancers and firewalls forget idle connections, most after a minute or
    /// more. A new connection costs less than a callback in doubt.
    const IDLE: Duration = Duration::from_secs(10);

    /// The pause before the second time that a command is sent again; the first
    /// time has none. It doubles from there, up to [`Link::LONGEST_PAUSE`].
    const PAUSE: Duration = Duration::from_millis(10);

    const LONGEST_PAUSE: Duration = Duration::from_millis(100);

    pub(super) fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint: Arc::new(endpoint),
            state: Mutex::new(State {
                connection: None,
                made: 0,
                pulse: Pulse::Idle(Instant::now()),
            }),
        }
    }

    /// Sends commands, again and over a new connection where this one fails:
    /// they must be safe to repeat.
    ///
    /// # Errors
    ///
    /// When there is no connection, or none that answers. A server's error is
    /// in the answers.
    pub(super) async fn ask(&self, commands: &Pipeline, limits: Limits) -> RedisResult<Answers> {
        let begin = Instant::now();
        let mut pause = Duration::ZERO;
        loop {
            let (connection, made) = self.asked(Instant::now(), limits.silence);
            let answers = connection.ask(commands).await;
            let error = match &answers {
                Ok(answers) => answers.iter().find_map(|answer| answer.as_ref().err()),
                Err(error) => Some(error),
            };
            let Some(error) = error.filter(|error| answers.is_err() || is_of_connection(error)) else {
                self.answered(made, Instant::now());
                return answers;
            };
            self.give_up(made, error);
            if !is_of_connection(error) || begin.elapsed() + pause > limits.retry {
                return answers;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).clamp(Self::PAUSE, Self::LONGEST_PAUSE);
        }
    }

    /// The connection for a command that is sent now.
    fn asked(&self, now: Instant, silence: Duration) -> (Connection, u64) {
        let mut state = self.state();
        let (is_waiting, since, limit) = match state.pulse {
            Pulse::Idle(since) => (false, since, Self::IDLE),
            Pulse::Waiting(since) => (true, since, silence),
        };
        let is_spent = now.saturating_duration_since(since) > limit;
        if is_spent {
            if is_waiting {
                tracing::warn!("redis answers nothing; using a new connection");
            }
            state.connection = None;
        }
        if is_spent || !is_waiting {
            state.pulse = Pulse::Waiting(now);
        }
        if let Some(connection) = &state.connection {
            return (connection.clone(), state.made);
        }
        let connection = Connection::open(Arc::clone(&self.endpoint));
        state.connection = Some(connection.clone());
        state.made += 1;
        (connection, state.made)
    }

    fn answered(&self, made: u64, now: Instant) {
        let mut state = self.state();
        if state.made == made {
            state.pulse = Pulse::Idle(now);
        }
    }

    /// The next command opens a new connection, unless another one already did.
    fn give_up(&self, made: u64, error: &RedisError) {
        let mut state = self.state();
        if state.made == made && state.connection.take().is_some() {
            tracing::warn!(reason = %error, "connection to redis is not usable; using a new one");
            state.pulse = Pulse::Idle(Instant::now());
        }
    }

    /// No code that holds the lock can panic halfway, so a poisoned one is whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether another connection may do better, to another server perhaps.
fn is_of_connection(error: &RedisError) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Io | ErrorKind::Parse | ErrorKind::MasterNameNotFoundBySentinel
    ) || ["READONLY", "LOADING", "MASTERDOWN", "NOREPLICAS", "NOAUTH"]
        .iter()
        .any(|code| has_code(error, code))
}

/// Whether the server gave this code. Before Redis 7, the code of a command in a script stands in the text.
pub(super) fn has_code(error: &RedisError, code: &str) -> bool {
    let in_text = |text: &str| text.contains(&format!("-{code} "));
    error.code() == Some(code) || error.detail().is_some_and(in_text)
}

/// A connection, or one that is being made. Closed when its last clone is
/// dropped, even while commands are unanswered.
#[derive(Clone)]
struct Connection {
    made: watch::Receiver<Option<RedisResult<MultiplexedConnection>>>,
    _driver: Arc<JoinSet<()>>,
}

impl Connection {
    /// Begins to connect, in a task: a caller that gives up does not stop it.
    fn open(endpoint: Arc<Endpoint>) -> Self {
        let (sender, made) = watch::channel(None);
        let mut driver = JoinSet::new();
        driver.spawn(async move {
            match endpoint.connect().await {
                Ok((connection, driver)) => {
                    sender.send_replace(Some(Ok(connection)));
                    driver.await;
                }
                Err(error) => {
                    sender.send_replace(Some(Err(error)));
                }
            }
        });
        Self {
            made,
            _driver: Arc::new(driver),
        }
    }

    async fn ask(&self, commands: &Pipeline) -> RedisResult<Answers> {
        let lost = || RedisError::from(io::Error::from(io::ErrorKind::NotConnected));
        let mut made = self.made.clone();
        let connected = match made.wait_for(Option::is_some).await {
            Ok(connected) => connected.clone(),
            Err(_) => None,
        };
        let mut connection = connected.unwrap_or_else(|| Err(lost()))?;
        tokio::select! {
            biased;
            answers = commands.query_async(&mut connection) => answers,
            // The driver has ended. The crate fails most commands by itself, but not one that was
            // handed over at that moment: it would wait for ever.
            _ = made.changed() => Err(lost()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::RedisConfig;

    const SILENCE: Duration = Duration::from_secs(1);

    fn link() -> Link {
        Link::new(RedisConfig::new("redis://127.0.0.1:1/").endpoint().unwrap())
    }

    #[tokio::test]
    async fn a_connection_that_answers_nothing_is_replaced() {
        let (link, begin) = (link(), Instant::now());
        let at = |seconds: f64| begin + Duration::from_secs_f64(seconds);
        let asked = |seconds: f64| link.asked(at(seconds), SILENCE).1;
        // It counts from the first command that was not answered, and not from the last.
        assert_eq!((asked(0.0), asked(0.9), asked(1.0), asked(1.1)), (1, 1, 1, 2));
        // A late answer of the first connection says nothing of the second.
        link.answered(1, at(2.0));
        assert_eq!((asked(2.1), asked(2.2)), (2, 3));
        link.answered(3, at(3.0));
        assert_eq!((asked(3.1), asked(4.1)), (3, 3));
    }

    #[tokio::test]
    async fn a_connection_that_was_idle_is_replaced_before_it_is_used() {
        let (link, begin) = (link(), Instant::now());
        let asked = |after: Duration| link.asked(begin + after, SILENCE).1;
        assert_eq!(asked(Duration::ZERO), 1);
        link.answered(1, begin);
        assert_eq!(asked(Link::IDLE), 1);
        link.answered(1, begin + Link::IDLE);
        assert_eq!(asked(Link::IDLE * 2 + Duration::from_millis(1)), 2);
    }

    #[tokio::test]
    async fn a_connection_that_failed_is_replaced_once() {
        let (link, now) = (link(), Instant::now());
        let error = RedisError::from(io::Error::from(io::ErrorKind::ConnectionReset));
        assert_eq!(link.asked(now, SILENCE).1, 1);
        link.give_up(1, &error);
        assert_eq!(link.asked(now, SILENCE).1, 2);
        // Of another command on the first.
        link.give_up(1, &error);
        assert_eq!(link.asked(now, SILENCE).1, 2);
    }
}

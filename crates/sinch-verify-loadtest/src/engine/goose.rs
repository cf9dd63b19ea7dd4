//! Virtual users on goose.
//!
//! Goose makes the users, starts and stops them, and sends their requests. The flows, their schedule,
//! the clock that ends the run, and every figure in our reports are ours.
//!
//! Goose keeps its switch for ending a run, its logger and its Ctrl-C handler in statics: run one
//! attack at a time in a process.

mod quiet;
mod wire;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use goose::client::GooseClientBuilder;
use goose::config::GooseConfiguration;
use goose::goose::{GooseUser, Scenario as GooseScenario, Transaction, TransactionResult};
use goose::{GooseAttack, GooseError};

use super::scheduler::Ready;
use super::users::VirtualUsers;
use crate::recorder::Phase;
use crate::wire::BoxFuture;

pub(crate) use wire::GooseWire;

/// How long a user who has nothing to do waits before goose may look whether the run is over. A
/// transaction that returns without waiting at all would keep a worker busy and goose from ending
/// the run.
const IDLE: Duration = Duration::from_millis(400);
/// The least wait of a user who will never have anything to do again.
const OVER: Duration = Duration::from_millis(20);
/// As long as goose may take over starting users who are to come all at once.
const AT_ONCE: Duration = Duration::from_millis(10);
/// How much longer than the run goose would go on by itself, should our clock fail.
const BACKSTOP: Duration = Duration::from_secs(60);

/// An attack on goose.
#[derive(Debug)]
pub(crate) struct Attack {
    /// What its users do.
    pub(crate) virtual_users: Arc<VirtualUsers>,
    /// How many there are.
    pub(crate) users: usize,
    /// Over how long goose starts them, one after the other; zero for as fast as it can.
    pub(crate) ramp: Duration,
    /// How long the run takes at most.
    pub(crate) longest: Duration,
    /// Counts the users who are there.
    pub(crate) ready: Arc<Ready>,
}

impl Attack {
    /// Sets goose up, so that the first user comes as soon as the attack runs.
    ///
    /// # Errors
    ///
    /// When goose cannot be set up.
    pub(crate) fn prepare(self) -> Result<Prepared, AttackError> {
        quiet::silence();
        let configuration = GooseConfiguration::parse_args_default(&self.arguments())?;
        let client = wire::client(&self.virtual_users.context.target).map_err(GooseError::Reqwest)?;
        let scenario = GooseScenario::new(self.virtual_users.workload.name().as_str())
            .register_transaction(set_up(client, &self.ready).set_on_start())
            .register_transaction(run(&self.virtual_users));
        let attack = GooseAttack::initialize_with_config(configuration)?
            // The users get our client as they start; this keeps goose from building one for each.
            .set_client_builder_without_cookies(GooseClientBuilder::new().without_cookies())?
            .register_scenario(scenario);
        Ok(Prepared(Box::new(attack)))
    }

    fn arguments(&self) -> Vec<String> {
        let backstop = self.longest.saturating_add(BACKSTOP).as_secs();
        let mut arguments = vec![
            format!("--host={}", self.virtual_users.context.target.base),
            format!("--users={}", self.users),
            format!("--increase-rate={}", self.increase_rate()),
            format!("--run-time={backstop}s"),
        ];
        let fixed = [
            "--no-telnet",
            "--no-websocket",
            "--quiet",
            "--no-print-metrics",
            "--no-error-summary",
            "--no-transaction-metrics",
            "--no-scenario-metrics",
            "--co-mitigation=disabled",
        ];
        arguments.extend(fixed.map(str::to_owned));
        arguments
    }

    /// How many users goose starts in a second: the first at once, then one after each interval. Its
    /// other option, a time for all of them, takes whole seconds and two users at least.
    fn increase_rate(&self) -> f64 {
        let seconds = if self.ramp.is_zero() {
            AT_ONCE.as_secs_f64()
        } else {
            self.ramp.as_secs_f64()
        };
        self.users as f64 / seconds
    }
}

/// An attack that waits for its beginning.
pub(crate) struct Prepared(Box<GooseAttack>);

impl Prepared {
    /// Runs the attack until [`end`] is called, or the user interrupts it.
    ///
    /// The runtime must have at least two workers, since goose's own loop takes part of one.
    ///
    /// # Errors
    ///
    /// When goose gives up. That flows fail is no error.
    pub(crate) async fn run(self) -> Result<(), AttackError> {
        self.0.execute().await?;
        Ok(())
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared").finish_non_exhaustive()
    }
}

/// Ends the attack that runs in this process.
pub(crate) fn end() {
    goose::trigger_killswitch("the run is over");
}

/// Gives a user our client.
fn set_up(client: reqwest::Client, ready: &Arc<Ready>) -> Transaction {
    let ready = Arc::clone(ready);
    Transaction::new(Arc::new(
        move |user: &mut GooseUser| -> BoxFuture<'_, TransactionResult> {
            user.client = client.clone();
            ready.one_more();
            Box::pin(async {
                tokio::task::yield_now().await;
                Ok(())
            })
        },
    ))
}

/// Carries out one flow, if there is one soon.
fn run(users: &Arc<VirtualUsers>) -> Transaction {
    let users = Arc::clone(users);
    Transaction::new(Arc::new(
        move |user: &mut GooseUser| -> BoxFuture<'_, TransactionResult> {
            let users = Arc::clone(&users);
            Box::pin(async move {
                match tokio::time::timeout(IDLE, users.next()).await {
                    Ok(Some(arrival)) => users.carry_out(arrival, &mut GooseWire::new(user)).await,
                    Ok(None) => {
                        // Goose forgets an end that was asked for before its first user came.
                        if users.recorder.phase() == Phase::Stopped {
                            end();
                        }
                        tokio::time::sleep(OVER).await;
                    }
                    // Goose looks whether it is to end.
                    Err(_) => {}
                }
                Ok(())
            })
        },
    ))
}

/// Goose could not be set up, or gave up.
#[derive(Debug)]
pub(crate) struct AttackError(Box<GooseError>);

impl From<GooseError> for AttackError {
    fn from(error: GooseError) -> Self {
        Self(Box::new(error))
    }
}

impl fmt::Display for AttackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("run the attack on goose")
    }
}

impl std::error::Error for AttackError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.0)
    }
}

//! The part on goose: users who run flows one after the other, in a closed model.
//!
//! Goose makes the users, starts and stops them, and sends their requests, so its own figures exist
//! too. The flows, the clock that ends the run, and every figure in our reports are ours.
//!
//! Goose keeps its switch for ending a run, its logger and its Ctrl-C handler in statics: run one
//! attack at a time in a process.

mod quiet;
mod wire;

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use goose::client::GooseClientBuilder;
use goose::config::GooseConfiguration;
use goose::goose::{GooseUser, Scenario as GooseScenario, Transaction, TransactionResult};
use goose::{GooseAttack, GooseError};

use crate::alarm::Alarm;
use crate::board::Board;
use crate::clock::Clock;
use crate::failure::{Failure, FailureKind};
use crate::measure::{FlowEnd, FlowRecord, Span};
use crate::numbers::Numbers;
use crate::phone::Phone;
use crate::runner::run_flow;
use crate::scenario::Scenario;
use crate::target::Target;

use wire::GooseWire;

/// How long a user who has nothing to do waits. A transaction that returns without waiting at all
/// would keep a worker busy and goose from ending the run.
const IDLE: Duration = Duration::from_millis(20);
/// How much longer than the run goose would go on by itself, should our clock fail.
const BACKSTOP: Duration = Duration::from_secs(60);

/// What the users of an attack do, and with what.
#[derive(Debug)]
pub struct Attack<P, C> {
    /// What they do over and over.
    pub scenario: Scenario,
    /// How many there are.
    pub users: usize,
    /// For how long, from the beginning of the first flow.
    pub duration: Duration,
    /// The service under load.
    pub target: Target,
    /// The phones under verification.
    pub phone: P,
    /// The numbers of those phones.
    pub numbers: Numbers,
    /// The clocks that flows are timed by.
    pub clock: C,
}

impl<P: Phone + 'static, C: Clock + 'static> Attack<P, C> {
    /// Runs the attack and counts on `board`, which is stopped when this returns.
    ///
    /// The runtime must have at least two workers, since goose's own loop takes part of one.
    ///
    /// # Errors
    ///
    /// When goose cannot be set up. That flows fail is no error.
    pub async fn run(self, board: Arc<Board>) -> Result<(), AttackError> {
        quiet::silence();
        let configuration = GooseConfiguration::parse_args_default(&self.arguments())?;
        let client = wire::client().map_err(GooseError::Reqwest)?;
        let users = Arc::new(Users {
            attack: self,
            board: Arc::clone(&board),
            client,
            end: OnceLock::new(),
        });
        let scenario = GooseScenario::new(users.attack.scenario.as_str())
            .register_transaction(set_up(&users).set_on_start())
            .register_transaction(run(&users));
        let attack = GooseAttack::initialize_with_config(configuration)?
            // The users get our client as they start; this keeps goose from building one for each.
            .set_client_builder_without_cookies(GooseClientBuilder::new().without_cookies())?
            .register_scenario(scenario);
        let ran = attack.execute().await;
        board.stop();
        ran?;
        Ok(())
    }

    fn arguments(&self) -> Vec<String> {
        let backstop = self.duration.saturating_add(BACKSTOP).as_secs();
        let mut arguments = vec![
            format!("--host={}", self.target.base),
            format!("--users={}", self.users),
            // All of them at once, as far as goose can.
            format!("--increase-rate={}", self.users.saturating_mul(100)),
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
}

/// What the users share.
struct Users<P, C> {
    attack: Attack<P, C>,
    board: Arc<Board>,
    client: reqwest::Client,
    /// Set by the first flow. Dropped with the users, it cannot ring after the attack.
    end: OnceLock<Option<Alarm>>,
}

impl<P: Phone + 'static, C: Clock + 'static> Users<P, C> {
    /// Runs one flow of one user.
    async fn iterate(&self, user: &mut GooseUser) {
        if self.board.is_stopped() {
            tokio::time::sleep(IDLE).await;
            return;
        }
        self.board.begin();
        // After the beginning was noted, so that a run is never shorter than planned.
        self.end.get_or_init(|| self.arm());
        let attack = &self.attack;
        let flow = attack.scenario.flow();
        let record = match attack.numbers.take() {
            Some(number) => {
                let mut wire = GooseWire::new(user);
                let cut = self.board.stopped();
                run_flow(
                    flow,
                    number,
                    &mut wire,
                    &attack.phone,
                    &attack.target,
                    &attack.clock,
                    cut,
                )
                .await
            }
            None => {
                tokio::time::sleep(IDLE).await;
                let failure = Failure::new(FailureKind::Request, "every number was used");
                let now = attack.clock.now();
                let span = Span {
                    due: None,
                    started: now,
                    ended: now,
                };
                FlowRecord::new(flow, FlowEnd::Failed(failure), span, Vec::new())
            }
        };
        self.board.end(&record);
    }

    /// Ends the run on time. Without a thread for it, goose ends the run later by itself.
    fn arm(&self) -> Option<Alarm> {
        let board = Arc::clone(&self.board);
        Alarm::after(self.attack.duration, move || {
            board.stop();
            goose::trigger_killswitch("the time of the run is over");
        })
        .ok()
    }
}

type Iteration<'r> = Pin<Box<dyn Future<Output = TransactionResult> + Send + 'r>>;

/// Gives a user our client.
fn set_up<P: Phone + 'static, C: Clock + 'static>(users: &Arc<Users<P, C>>) -> Transaction {
    let client = users.client.clone();
    Transaction::new(Arc::new(move |user: &mut GooseUser| -> Iteration<'_> {
        user.client = client.clone();
        Box::pin(async {
            tokio::task::yield_now().await;
            Ok(())
        })
    }))
}

fn run<P: Phone + 'static, C: Clock + 'static>(users: &Arc<Users<P, C>>) -> Transaction {
    let users = Arc::clone(users);
    Transaction::new(Arc::new(move |user: &mut GooseUser| -> Iteration<'_> {
        let users = Arc::clone(&users);
        Box::pin(async move {
            users.iterate(user).await;
            Ok(())
        })
    }))
}

/// Goose could not be set up, or gave up.
#[derive(Debug)]
pub struct AttackError(Box<GooseError>);

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

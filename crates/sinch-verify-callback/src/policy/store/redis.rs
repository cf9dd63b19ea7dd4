use std::fmt::Write as _;
use std::sync::OnceLock;

use redis::{Cmd, Pipeline, RedisResult, Value};

use super::{Check, End, Ruling, Start};
use crate::policy::counter::Counter;
use crate::policy::period::Micros;
use crate::policy::plan::digest;
use crate::policy::rules::Mode;
use crate::replay::{RedisStore, StoreError};

/// Counts in Redis, by a script.
pub(super) struct RedisCounters {
    store: RedisStore,
    /// The name that Redis gave the script. It is made from the text, so it is the same in each Redis.
    script: OnceLock<String>,
}

const SCRIPT: &str = include_str!("counters.lua");

impl RedisCounters {
    pub(super) fn new(store: RedisStore) -> Self {
        Self {
            store,
            script: OnceLock::new(),
        }
    }

    pub(super) async fn take(&self, start: &Start<'_>, now: Micros, cost: u64) -> Result<Ruling, StoreError> {
        let answer = self.run("take", start, now, cost).await?;
        let [is_repeated, place, until, observed @ ..] = &answer[..] else {
            return Err(senseless());
        };
        let observed = observed.chunks_exact(2).map(|pair| deny(pair[0], pair[1]));
        Ok(Ruling {
            denied: if *place < 0 {
                None
            } else {
                Some(deny(*place, *until)?)
            },
            observed: observed.collect::<Result<_, _>>()?,
            is_repeated: *is_repeated == 1,
        })
    }

    pub(super) async fn end(
        &self,
        start: &Start<'_>,
        end: End,
        now: Micros,
    ) -> Result<Option<u64>, StoreError> {
        let op = match end {
            End::Denied => "denied",
            End::Success => "success",
            End::Failure => "failure",
        };
        match self.run(op, start, now, 0).await?[..] {
            [0, _] => Ok(None),
            [1, cost] => Ok(Some(u64::try_from(cost).map_err(|_| senseless())?)),
            _ => Err(senseless()),
        }
    }

    /// Runs the script. It may be sent again when its answer is lost: it counts a verification once.
    async fn run(&self, op: &str, start: &Start<'_>, now: Micros, cost: u64) -> Result<Vec<i64>, StoreError> {
        let command = |name: &str, script: &str| {
            let mut command = redis::cmd(name);
            command.arg(script).arg(start.checks.len() + 1);
            command.arg(self.store.key('v', &digest(start.record)));
            for check in &start.checks {
                command.arg(self.key(check));
            }
            command.arg(op).arg(now).arg(cost);
            command.arg(start.lifetimes.pending).arg(start.lifetimes.ended);
            for check in &start.checks {
                rule_arguments(&mut command, check, now);
            }
            command
        };
        if let Some(script) = self.script.get() {
            let mut pipeline = Pipeline::with_capacity(1);
            pipeline.add_command(command("EVALSHA", script));
            let [answer] = self.store.ask(&mut pipeline).await?;
            match answer {
                // It was restarted, or is another one.
                Err(error) if error.code() == Some("NOSCRIPT") => {}
                answer => return integers(answer),
            }
        }
        let mut pipeline = Pipeline::with_capacity(2);
        pipeline.cmd("SCRIPT").arg("LOAD").arg(SCRIPT);
        pipeline.add_command(command("EVAL", SCRIPT));
        let [script, answer] = self.store.ask(&mut pipeline).await?;
        if let Ok(Value::BulkString(name)) = script
            && let Ok(name) = String::from_utf8(name)
        {
            let _ = self.script.set(name);
        }
        integers(answer)
    }

    fn key(&self, check: &Check<'_>) -> String {
        let parts = [
            &check.rule.digest[..],
            check.subject.as_bytes(),
            check.method.as_bytes(),
        ];
        self.store.key('c', &digest(parts))
    }
}

/// The place, kind, mode, three parameters and pauses of a rule, as the script reads them.
fn rule_arguments(command: &mut Cmd, check: &Check<'_>, now: Micros) {
    let (kind, parameters, pauses): (_, [u64; 3], &[Micros]) = match &check.rule.counter {
        Counter::Log { limit, window } => ("log", [*limit as u64, *window, 0], &[]),
        Counter::Rate { burst, interval } => ("rate", [*burst, *interval, 0], &[]),
        Counter::Cooldown { pauses, forget } => ("cooldown", [*forget, 0, 0], pauses),
        Counter::Lockout {
            failures,
            window,
            pauses,
        } => ("lockout", [*failures as u64, *window, 0], pauses),
        Counter::Conversion {
            last,
            samples,
            floor,
            pauses,
            forget,
        } => (
            "conversion",
            [*samples, floor * 100 + u64::from(*last), *forget],
            pauses,
        ),
        Counter::Budget { limit, period } => {
            let (start, end) = period.around(now);
            ("budget", [*limit, start, end], &[check.rule.counter.lifetime()])
        }
    };
    command.arg(check.place).arg(kind);
    command.arg(u8::from(check.rule.mode == Mode::Enforce));
    command.arg(&parameters);
    let mut text = String::new();
    for pause in pauses {
        let _ = write!(text, "{pause},");
    }
    command.arg(text);
}

fn deny(place: i64, until: i64) -> Result<(usize, Micros), StoreError> {
    match (usize::try_from(place), Micros::try_from(until)) {
        (Ok(place), Ok(until)) => Ok((place, until)),
        _ => Err(senseless()),
    }
}

fn integers(answer: RedisResult<Value>) -> Result<Vec<i64>, StoreError> {
    let Value::Array(values) = answer.map_err(|error| RedisStore::failure(&error))? else {
        return Err(senseless());
    };
    let integers = values.into_iter().map(|value| match value {
        Value::Int(integer) => Ok(integer),
        _ => Err(senseless()),
    });
    integers.collect()
}

fn senseless() -> StoreError {
    StoreError::Unavailable {
        message: "redis answered the policy's script with something else than its numbers".to_owned(),
    }
}

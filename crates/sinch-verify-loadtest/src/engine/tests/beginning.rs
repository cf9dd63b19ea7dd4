//! Whole runs that were asked to begin at a time that had passed when they were ready.

use std::time::{Duration, SystemTime};

use crate::engine::{Options, Run};
use crate::model::{Load, TransportName};
use crate::verdict::{Exit, Thresholds, Verdict};
use jiff::Timestamp;

use super::world::{GOOSE, workload};

#[test]
fn run_that_begins_late_says_when_and_is_invalid() {
    let _goose = GOOSE.blocking_lock();
    for transport in [TransportName::Direct, TransportName::Goose] {
        let mut options = Options::new(workload("sms"), Duration::from_millis(100));
        options.load = Load::closed(2);
        options.transport = transport;
        let before = SystemTime::now();
        let asked = before - Duration::from_secs(600);
        options.start_at = Some(asked);
        let file = Run::prepare(options).unwrap().execute().unwrap();

        let began = SystemTime::try_from(file.started_at.parse::<Timestamp>().unwrap()).unwrap();
        assert!((before..=SystemTime::now()).contains(&began), "{began:?}");
        let late = began.duration_since(asked).unwrap().as_secs_f64();
        assert!((file.late_seconds.unwrap() - late).abs() < 1e-3, "{file:?}");
        let verdict = Verdict::judge(&file, &Thresholds::default());
        assert_eq!(verdict.exit, Exit::Invalid);
        let reason = &verdict.reasons[0];
        let began = format!("the load tester was ready {late:.2} s after --start-at");
        assert!(reason.starts_with(&began), "{transport}: {reason}");
    }
}

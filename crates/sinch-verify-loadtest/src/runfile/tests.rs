use std::time::Duration;

use super::*;
use crate::model::{
    Failure, FlowEnd, FlowRecord, Load, PhoneChoice, Rate, ScenarioName, Setting, Shard, StepKind, StepName,
    StepTime, TransportName, sample_setup,
};

fn setup() -> Setup {
    Setup {
        scenario: ScenarioName::MIXED,
        mix: "sms=70,callout=30".parse().ok(),
        load: Load::Open {
            rate: Rate::Ramp {
                from: 10.0,
                to: 300.5,
            },
            users: 64,
        },
        duration_seconds: 20.0,
        warm_up_seconds: 2.5,
        seed: u64::MAX,
        ..sample_setup()
    }
}

fn sample() -> RunFile {
    let mut flows = Measurements::default();
    for took in 1..=50u64 {
        let due = Duration::from_secs(1);
        let [started, ended] = [took, took * took].map(|after| due + Duration::from_micros(after));
        let end = match took % 10 {
            0 => FlowEnd::Failed(Failure::new(FailureKind::Http(503), "no")),
            _ => FlowEnd::Succeeded,
        };
        let start = StepTime {
            step: StepName::START,
            took: Duration::from_micros(took),
            kind: StepKind::Request,
            answered: true,
        };
        flows.record(&FlowRecord {
            steps: vec![start],
            ..FlowRecord::sample(due, started, ended, end)
        });
    }
    let second = Second {
        end_to_end: flows.total().times[&StepName::END_TO_END].pack(),
        cpu: Some(0.25),
        ..Second::default()
    };
    let counters = Counters {
        scheduled: 52,
        started: 50,
        dropped: 2,
        ..Counters::default()
    };
    RunFile {
        schema: Schema,
        version: "0.1.0".to_owned(),
        run: RunId::of(&setup(), 4, "2026-11-24T06:00:00Z"),
        setup: setup(),
        started_at: "2026-11-24T06:00:00Z".to_owned(),
        late_seconds: None,
        seconds: 20.003,
        shards: Shards::from("1/4".parse::<Shard>().unwrap()),
        generator: Generator::here(2),
        counters,
        warm_up: Counters::default(),
        flows,
        series: vec![second],
        stopped: None,
        spending: None,
        verdict: None,
    }
}

#[test]
fn reads_back_what_was_written() {
    let file = sample();
    let text = file.to_json().unwrap();
    let back = RunFile::from_json(&text).unwrap();
    assert_eq!(back, file);
    assert_eq!(back.to_json().unwrap(), text);
}

#[test]
fn other_schemas_are_refused() {
    let mut json = serde_json::to_value(sample()).unwrap();
    assert_eq!(json["schema"], 4);
    for schema in [3, 5] {
        json["schema"] = schema.into();
        let error = RunFile::from_json(&json.to_string()).unwrap_err();
        assert!(matches!(error, RunFileError::Schema(other) if other == schema));
    }
    for text in ["", "{}", "[]", r#"{"schema":4"#] {
        assert!(
            matches!(RunFile::from_json(text), Err(RunFileError::NoRunFile(_))),
            "{text}"
        );
    }
}

#[test]
fn unknown_names_are_refused() {
    let mut json = serde_json::to_value(sample()).unwrap();
    json["setup"]["transport"] = "goos".into();
    let error = RunFile::from_json(&json.to_string()).unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("expected `goose` or `direct`"), "{source}");
}

#[test]
fn errors_count_everything_that_went_wrong() {
    let errors = sample().errors();
    assert_eq!(
        errors.into_iter().collect::<Vec<_>>(),
        [(FailureKind::Http(503), 5), (FailureKind::Dropped, 2)]
    );
}

#[test]
fn run_is_named_by_what_its_shards_share() {
    let name = |setup: &Setup, of, at| RunId::of(setup, of, at);
    let (now, later) = ("2026-11-24T06:00:00Z", "2026-11-24T06:00:01Z");
    let first = name(&setup(), 4, now);
    assert_eq!(first.as_str().len(), 16);
    let mut elsewhere = setup();
    elsewhere.target = "another emulator".to_owned();
    assert_eq!(name(&elsewhere, 4, now), first);
    for different in [name(&setup(), 3, now), name(&setup(), 4, later)] {
        assert_ne!(different, first);
    }
    for change in [
        (|setup| setup.seed = 1) as fn(&mut Setup),
        |setup| setup.mix = "sms=1".parse().ok(),
        |setup| setup.scenario = ScenarioName::new("sms").unwrap(),
        |setup| setup.setting = Setting::Device,
        |setup| setup.load = Load::closed(64),
        |setup| {
            setup.load = Load::Closed {
                users: 64,
                ramp_seconds: 5.0,
            }
        },
        |setup| setup.duration_seconds = 21.0,
        |setup| setup.warm_up_seconds = 0.0,
        |setup| setup.grace_seconds = 1.0,
        |setup| setup.phone = PhoneChoice::Callback,
        |setup| setup.callbacks = false,
        |setup| setup.transport = TransportName::Goose,
    ] {
        let mut other = setup();
        change(&mut other);
        assert_ne!(name(&other, 4, now), first, "{other:?}");
    }
}

#[test]
fn missing_shards_are_known() {
    let mut shards = Shards::from("2/4".parse::<Shard>().unwrap());
    assert_eq!(shards.missing(), [0, 1, 3]);
    shards.present = vec![0, 1, 2, 3];
    assert!(shards.is_whole());
    for wrong in ["", "1", "4/4", "1/0", "-1/4", "a/b", "0/10001"] {
        assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
    }
}

//! Rules that are none, and events that a rule cannot read.

use std::time::Duration;

use sinch_verify_callback::policy::{
    Budget, FraudPolicy, Per, Period, PolicyRules, Prices, SkipReason, Velocity, WrittenBy,
};

use crate::support::{ALICE, Day, HOUR};

fn error(toml: &str) -> String {
    let rules = match toml.parse::<PolicyRules>() {
        Ok(rules) => rules,
        Err(error) => return error.to_string(),
    };
    FraudPolicy::builder(rules).build().unwrap_err().to_string()
}

#[test]
fn a_wrong_rule_names_its_key_and_what_to_write() {
    let velocity = "[[velocity]]\nper = \"number\"\nlimit = 5\nwindow = \"1h\"\n";
    let with = |line: &str| format!("{velocity}{line}");
    let euros = "[prices]\ncurrency = \"EUR\"\n";
    let budget = |amount: &str| format!("{euros}[[budget]]\nperiod = \"day\"\namount = {amount}");
    let conversion = |line: &str| format!("[[conversion]]\nfloor-percent = 5\nblock = \"1h\"\n{line}");
    for (toml, message) in [
        // Names, with the nearest that there is.
        (
            "[[velocty]]".to_owned(),
            "line 1: velocty: unknown field `velocty`; the nearest is `velocity`",
        ),
        (
            with("windw = \"1h\""),
            "line 5: velocity[0].windw: unknown field `windw`; the nearest is `window`",
        ),
        (
            "[[velocity]]\nper = \"numbers\"\nlimit = 5\nwindow = \"1h\"".to_owned(),
            "line 2: velocity[0].per: unknown variant `numbers`; the nearest is `number`",
        ),
        (
            "mode = \"enforced\"".to_owned(),
            "line 1: mode: unknown variant `enforced`; the nearest is `enforce`",
        ),
        (
            "[[velocity]]\nper = \"number\"\nlimit = 5".to_owned(),
            "line 1: velocity[0]: missing field `window`",
        ),
        ("mode = ".to_owned(), "line 1: "),
        // Countries and methods.
        (
            with("countries = [\"Sweden\"]"),
            "line 5: velocity[0].countries[0]: country is not a two-letter ISO 3166-1 code such as SE",
        ),
        (
            with("countries = [\"ZZ\"]"),
            "velocity[0].countries: ZZ is no country with numbers of its own; the nearest is ",
        ),
        (
            "[destinations]\nallow-countries = [\"SX\", \"QQ\"]".to_owned(),
            "destinations.allow-countries: QQ is no country",
        ),
        (
            "[destinations]\nallow-countries = [\"SE\"]\ndeny-countries = [\"SE\"]".to_owned(),
            "destinations.deny-countries: SE is both allowed and denied; remove one",
        ),
        (
            "[destinations.methods]\nSE = [\"smss\"]".to_owned(),
            "destinations.methods.SE: smss is no method; the nearest is sms",
        ),
        (
            "[destinations]\ndeny-prefixes = [\"46\"]".to_owned(),
            "destinations.deny-prefixes[0]: must be + and the first digits of numbers, such as +4670, is \"46\"",
        ),
        (
            "[destinations]\ndeny-numbers = [\"premium-rate\"]".to_owned(),
            "destinations.deny-numbers: needs the numbering plans; give them with PolicyBuilder::number_plans",
        ),
        // Times and limits.
        (
            velocity.replace("1h", "0s"),
            "velocity[0].window: must be from 1s to 31d, is 0s",
        ),
        (
            velocity.replace("\"1h\"", "60"),
            "line 4: velocity[0].window: invalid type: integer `60`, expected a duration with its unit",
        ),
        (
            velocity.replace("limit = 5", "limit = 0"),
            "velocity[0].limit: must be from 1 to 1000000000, is 0",
        ),
        (
            velocity.replace("limit = 5", "limit = 65"),
            "velocity[0].burst: missing; a limit above 64 needs the number of starts that may come at once",
        ),
        (
            velocity.replace("limit = 5", "limit = -5"),
            "line 3: velocity[0].limit: invalid value: integer `-5`",
        ),
        (
            "[[cooldown]]\npauses = []".to_owned(),
            "cooldown[0].pauses: is empty; write a duration, or several",
        ),
        (
            format!("{velocity}{velocity}"),
            "velocity[1].name: another rule has the name velocity-number-1h too; give one of them a name of its own",
        ),
        (
            with("name = \"a b\""),
            "velocity[0].name: must have from 1 to 64 characters of",
        ),
        (
            conversion("samples = 51"),
            "conversion[0].samples: must be from 1 to 50, is 51",
        ),
        (
            conversion("last = 10"),
            "conversion[0].samples: must be from 1 to 10, is 20",
        ),
        (
            "range-digits = 9".to_owned(),
            "range-digits: must be from 1 to 8, is 9",
        ),
        (
            "result-within = \"0s\"".to_owned(),
            "result-within: must be from 1s to 31d, is 0s",
        ),
        // Money.
        (budget("\"-1\""), "budget[0].amount: must be from 0 to 9000000000"),
        (
            budget("\"0.0000001\""),
            "budget[0].amount: must be from 0 to 9000000000 with at most 6 digits",
        ),
        (budget("\"ten\""), "line 5: budget[0].amount: "),
        (
            "[[budget]]\nperiod = \"day\"\namount = \"1\"".to_owned(),
            "budget[0]: a budget needs a currency; write [prices] with currency = \"EUR\"",
        ),
        (
            "[prices]\ncurrency = \"euro\"".to_owned(),
            "prices.currency: must be three capital letters such as EUR, is \"euro\"",
        ),
        (
            format!("{euros}default = \"-0.1\""),
            "prices.default: must be from 0 to",
        ),
        // Callers.
        (
            velocity.replace("number", "caller"),
            "caller: missing; velocity-caller-1h counts per caller, so say where the key is and who writes it",
        ),
        (
            "[caller]\nfrom = \"custom\"".to_owned(),
            "line 1: caller: missing field `written-by`",
        ),
        (
            "[caller]\nfrom = \"custom\"\nwritten-by = \"backend\"\njson = \"ip\"".to_owned(),
            "caller.json: must be a JSON pointer such as /ip, is \"ip\"",
        ),
        (
            "[exceptions]\nnumbers = [\"0700000001\"]".to_owned(),
            "line 2: exceptions.numbers[0]: phone number lacks the leading +",
        ),
    ] {
        let error = error(&toml);
        assert!(error.starts_with(message), "{toml}\n{error}\n{message}");
    }
}

#[test]
fn rules_in_rust_are_checked_in_the_same_way() {
    let rules = PolicyRules::new().velocity(Velocity::new(Per::Number, 5, Duration::ZERO));
    let error = FraudPolicy::builder(rules).build().unwrap_err();
    assert_eq!(error.path(), "velocity[0].window");

    let rules = PolicyRules::new()
        .prices(Prices::new("EUR"))
        .budget(Budget::new(Period::Day, "-1".parse().unwrap()));
    let error = FraudPolicy::builder(rules).build().unwrap_err();
    assert_eq!(error.path(), "budget[0].amount");
}

#[tokio::test]
async fn a_rule_that_cannot_read_what_it_counts_is_skipped_or_denies() {
    let rules = |unreadable: &str| {
        format!(
            "[[velocity]]
            per = \"caller\"
            limit = 1
            window = \"1h\"
            unreadable = \"{unreadable}\"
            [caller]
            from = \"reference\"
            written-by = \"backend\""
        )
    };
    let mut day = Day::in_memory(&rules("skip"));
    for _ in 0..3 {
        let started = day.start_event(|event| event.reference = None, ALICE).await;
        assert!(started.verdict.is_allowed());
        assert_eq!(started.verdict.skipped[0].reason, SkipReason::NoCallerKey);
    }
    assert_eq!(day.policy.report().rules[0].1.skipped, 3);

    let mut day = Day::in_memory(&rules("deny"));
    let started = day.start_event(|event| event.reference = None, ALICE).await;
    let denial = started.verdict.denial.unwrap();
    assert_eq!(
        (&*denial.rule, &*denial.limit),
        ("velocity-caller-1h", "no caller key")
    );
    assert!(day.allows(ALICE).await);
}

#[tokio::test]
async fn a_caller_key_that_a_device_wrote_counts_only_where_that_is_trusted() {
    let rules = PolicyRules::new().velocity(Velocity::new(Per::Caller, 1, HOUR));
    for (written_by, allowed) in [
        (WrittenBy::Backend, 1),
        (WrittenBy::Device, 5),
        (WrittenBy::DeviceTrusted, 1),
    ] {
        let policy = FraudPolicy::builder(rules.clone())
            .caller_key(written_by, |texts| texts.custom.map(str::to_owned))
            .build()
            .unwrap();
        assert_eq!(
            Day::new(policy).allowed(5, ALICE).await,
            allowed,
            "{written_by:?}"
        );
    }
}

#[tokio::test]
async fn an_identity_that_is_no_number_is_skipped_by_rules_about_numbers() {
    let mut day = Day::in_memory(
        "[[velocity]]
        per = \"number\"
        limit = 1
        window = \"1h\"
        [[velocity]]
        per = \"country\"
        limit = 1
        window = \"1h\"
        [[velocity]]
        per = \"all\"
        limit = 2
        window = \"1h\"",
    );
    for expected in ["none", "none", "velocity-all-1h"] {
        let started = day
            .start_event(|event| event.identity.endpoint = "alice".into(), ALICE)
            .await;
        assert_eq!(started.denied_by(), expected);
        assert_eq!(started.verdict.skipped[0].reason, SkipReason::NoNumber);
        assert_eq!(started.verdict.skipped[1].reason, SkipReason::NoCountry);
    }
}

//! `cliFilter`: the table of edge cases, and the syntax of groups.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "cli_filter/properties.rs"]
mod properties;

use sinch_verify_protocol::caller_id::{CandidateForm, Candidates};
use sinch_verify_protocol::cli_filter::{CliFilter, Dialect, FilterError, MAX_FILTER};

/// A number, and whether it matches.
type Case<'a> = (&'a str, bool);

fn check(filter: &str, dialect: Dialect, cases: &[Case<'_>]) {
    let compiled = CliFilter::compile_as(filter, dialect)
        .unwrap_or_else(|error| panic!("{filter:?} does not compile: {error}"));
    assert_eq!(compiled.as_str(), filter);
    for (number, expected) in cases {
        assert_eq!(
            compiled.matches(number),
            *expected,
            "{filter:?} against {number:?}"
        );
    }
}

/// The SDK's rule: the raw text, the Android dialect.
#[test]
fn the_android_dialect_matches_as_the_sdk_does() {
    const USUAL: &str = "(.*)70123(.*)";
    const EXACT: &str = "+48123456789";
    let rows: &[(&str, &[Case<'_>])] = &[
        (USUAL, &[("+48701230", true)]),
        (USUAL, &[("70123", true)]),
        (USUAL, &[("7012370123", true)]),
        (USUAL, &[("70120", false), ("7012", false), ("", false)]),
        (USUAL, &[("7 0123", false), ("+4670-123", false)]),
        (USUAL, &[("+46 70123 00", true)]),
        (USUAL, &[("70123\n", false), ("70123\u{2028}", false)]),
        ("(.*)1234", &[("12345", false)]),
        ("(.*)1234", &[("+461234", true)]),
        (EXACT, &[(EXACT, true)]),
        (EXACT, &[("48123456789", false)]),
        (EXACT, &[("+481234567890", false), ("00+48123456789", false)]),
        (
            "(.*)",
            &[("+4670", true), ("", true), ("xyz", true), ("a\nb", false)],
        ),
        ("", &[("", true), ("1", false)]),
        (".*70123.*", &[("+4670123", false), (".*70123.*", true)]),
        ("^(.*)70123(.*)$", &[("+4670123", false), ("^+4670123$", true)]),
        (
            "(.*)(70123|70124)(.*)",
            &[("+4670124", true), ("+4670125", false)],
        ),
        ("(.*)70[12]3(.*)", &[("+467013", false), ("+4670[12]3", true)]),
        (
            r"(\d*)70123(\d{2})",
            &[("467012345", true), ("+467012345", false)],
        ),
        (r"(\+46)?70123(.*)", &[("+4670123", false), ("+46?70123", true)]),
        ("(?:.*)8156(?:.*)", &[("+448156", true), ("+44815", false)]),
        (
            "(.*))",
            &[("+4670123", false), ("", false), (")", false), (")\\Q", true)],
        ),
        ("(.*)70.123(.*)", &[("+4670x123", false), ("+4670.123", true)]),
        ("(.*)ab", &[("xAB", false), ("xab", true)]),
        ("(?i)(.*)AB", &[("xab", true), ("xAb", true), ("xac", false)]),
        ("(.*)8156(.*)", &[("+1 (815) 655-0123", false)]),
        (
            "(.*)5312(.*)",
            &[("", false), ("anonymous", false), ("-2", false)],
        ),
        (r"(\d*)7(.*)", &[("\u{661}\u{662}7", false), ("127", true)]),
    ];
    for (filter, cases) in rows {
        check(filter, Dialect::Android, cases);
    }
}

/// What normalising the number and the other dialect add.
#[test]
fn a_caller_id_is_tried_in_its_other_forms() {
    let rows: &[(&str, &str, Option<CandidateForm>)] = &[
        ("(.*)70123(.*)", "7 0123", Some(CandidateForm::Stripped)),
        ("(.*)70123(.*)", "+4670-123", Some(CandidateForm::Stripped)),
        ("(.*)70123(.*)", "+46 70123 00", Some(CandidateForm::Raw)),
        ("(.*)70123(.*)", "70123\n", Some(CandidateForm::Stripped)),
        ("+48123456789", "48123456789", Some(CandidateForm::PlusAdded)),
        ("+48123456789", "0048123456789", Some(CandidateForm::DoubleZero)),
        ("+48123456789", "00+48123456789", None),
        ("(.*)8156(.*)", "+1 (815) 655-0123", Some(CandidateForm::Stripped)),
        ("(.*)", "", None),
        ("(.*)", "Anonymous", None),
        ("(.*)5312(.*)", "-2", None),
    ];
    for (filter, raw, expected) in rows {
        let caller = Candidates::new(raw);
        let filter = CliFilter::compile(filter).unwrap();
        let found = filter.find(&caller).map(|one| one.form());
        assert_eq!(found, *expected, "{filter} against {raw:?}");
    }
}

#[test]
fn a_filter_that_matches_everything_says_so() {
    let cases = [
        ("(.*)", Dialect::Android, true),
        ("(.*)(.*)", Dialect::Android, true),
        (".*", Dialect::Auto, true),
        (".*", Dialect::Android, false),
        ("", Dialect::Android, false),
        ("(.*)1", Dialect::Android, false),
        ("(.*)70123(.*)", Dialect::Android, false),
    ];
    for (filter, dialect, expected) in cases {
        let filter = CliFilter::compile_as(filter, dialect).unwrap();
        assert_eq!(filter.matches_everything(), expected, "{filter:?}");
    }
}

#[test]
fn the_dialect_is_chosen_by_the_syntax() {
    let rows: &[(&str, Dialect, &[Case<'_>])] = &[
        ("(.*)70123(.*)", Dialect::Android, &[("+4670123", true)]),
        (
            ".*70123.*",
            Dialect::Regex,
            &[("+4670123", true), ("70123\n", false)],
        ),
        // Compiles as the SDK reads it, so a number it does not match is not tried again.
        ("^(.*)70123(.*)$", Dialect::Android, &[("+4670123", false)]),
        (r"(\+46)?70123(.*)", Dialect::Android, &[("+4670123", false)]),
        ("((46)70)(.*)", Dialect::Regex, &[("467012", true)]),
        ("(.*(70123))", Dialect::Regex, &[("+4670123", true)]),
        ("+46(.*)", Dialect::Android, &[("+4670", true)]),
    ];
    for (filter, used, cases) in rows {
        check(filter, Dialect::Auto, cases);
        let compiled = CliFilter::compile_as(filter, Dialect::Auto).unwrap();
        assert_eq!(compiled.dialect(), *used, "{filter}");
    }
    check(
        "^(.*)70123(.*)$",
        Dialect::Regex,
        &[("+4670123", true), ("+467012", false)],
    );
    check("(.*)70[12]3(.*)", Dialect::Regex, &[("+467013", true)]);
    check(
        r"(\+46)?70123(.*)",
        Dialect::Regex,
        &[("+4670123", true), ("70123", true)],
    );
    assert_eq!(CliFilter::compile("(.*)1").unwrap().dialect(), Dialect::Android);
    let neither = CliFilter::compile_as("(.*4544456(.*)", Dialect::Auto).unwrap_err();
    assert_eq!(neither, FilterError::NestedGroup { at: 10 });
}

#[test]
fn a_filter_that_does_not_compile_says_why_and_where() {
    let rows: &[(&str, FilterError)] = &[
        ("((46)70)(.*)", FilterError::NestedGroup { at: 1 }),
        ("(.*(70123))", FilterError::NestedGroup { at: 3 }),
        ("(.*4544456(.*)", FilterError::NestedGroup { at: 10 }),
        ("12(.*", FilterError::UnclosedGroup { at: 2 }),
        (
            "(?=7)(.*)",
            FilterError::Unsupported {
                what: "look-around",
                at: 0,
            },
        ),
        (
            r"+46(\1)",
            FilterError::Unsupported {
                what: "a back-reference",
                at: 4,
            },
        ),
        (
            r"(.*+)7",
            FilterError::Unsupported {
                what: "a possessive or doubled repetition",
                at: 3,
            },
        ),
        (
            r"(\p{L})",
            FilterError::Unsupported {
                what: "a Unicode class",
                at: 1,
            },
        ),
        (
            "(?m)(.*)",
            FilterError::Unsupported {
                what: "this inline flag",
                at: 2,
            },
        ),
        (
            "([[:alpha:]])",
            FilterError::Unsupported {
                what: "a class by name",
                at: 2,
            },
        ),
        (
            r"(\Qa\E)",
            FilterError::Unsupported {
                what: "this escape",
                at: 1,
            },
        ),
        (
            "(?>a)",
            FilterError::Unsupported {
                what: "this kind of group",
                at: 2,
            },
        ),
    ];
    for (filter, expected) in rows {
        assert_eq!(CliFilter::compile(filter).unwrap_err(), *expected, "{filter:?}");
    }
    let syntax = CliFilter::compile("70(*)").unwrap_err();
    assert!(matches!(syntax, FilterError::Syntax { at: 3, .. }), "{syntax:?}");
    assert!(syntax.to_string().starts_with("invalid filter: "), "{syntax}");
}

#[test]
fn hostile_filters_are_bounded() {
    let hostile = CliFilter::compile("(a+)+b(.*)").unwrap();
    assert!(!hostile.matches(&"a".repeat(100_000)));
    let backtracking = CliFilter::compile_as("((a+)+)+b", Dialect::Regex).unwrap();
    assert!(!backtracking.matches(&"a".repeat(100_000)));

    let long = "(.*)".repeat(2_500);
    assert_eq!(
        CliFilter::compile(&long).unwrap_err(),
        FilterError::TooLong { bytes: 10_000 }
    );
    let wildcards = "(.*)1".repeat(MAX_FILTER / 5);
    let wildcards = CliFilter::compile(&wildcards).unwrap();
    assert!(!wildcards.matches(&"1".repeat(200)));
    assert!(wildcards.matches(&"1".repeat(100_000).replace("11", "121")[..1_000]));

    for filter in [
        "(.{1000})(.{1000})".to_owned(),
        r"([^0-9]{5000})".to_owned(),
        "(a|b)(.*?)(x{900})".repeat(9),
    ] {
        let error = CliFilter::compile(&filter).unwrap_err();
        assert_eq!(error, FilterError::TooComplex, "{filter}");
    }
    let deep = format!("{}a{}", "(".repeat(400), ")".repeat(400));
    assert_eq!(
        CliFilter::compile_as(&deep, Dialect::Regex).unwrap_err(),
        FilterError::TooComplex
    );
}

#[test]
fn syntax_of_java_is_rewritten() {
    let cases: &[(&str, &[Case<'_>])] = &[
        // `.` by itself, escaped, in a class, and with (?s).
        (
            "(a.c)",
            &[
                ("abc", true),
                ("a\rc", false),
                ("a\u{85}c", false),
                ("a\u{2029}c", false),
                ("aéc", true),
            ],
        ),
        (r"(a\.c)", &[("a.c", true), ("abc", false)]),
        ("(a[.]c)", &[("a.c", true), ("abc", false)]),
        (r"([\d.]+)", &[("1.2", true), ("1x2", false)]),
        ("(?s)(a.c)", &[("a\nc", true), ("a\u{2028}c", true)]),
        ("(?s)(?-s)(a.c)", &[("a\nc", false)]),
        ("(?s:a.)(.)", &[("a\nb", true), ("a\n\n", false)]),
        // Case folding is ASCII, also in classes and ranges, and ends with its group.
        ("(?i)([a-cX]+)", &[("AbCx", true), ("d", false)]),
        ("(?i)([^a-c])", &[("B", false), ("d", true)]),
        ("(?i)(k)", &[("K", true), ("\u{212a}", false)]),
        ("(?i)É", &[("É", true), ("é", false)]),
        ("(?i:a)b", &[("Ab", true), ("AB", false)]),
        // Classes.
        (r"(\w+)", &[("a_1", true), ("é", false)]),
        (r"(\W)", &[("é", true), ("a", false)]),
        (r"(\D\S)", &[("é\u{a0}", true)]),
        (r"([^\d])", &[("\u{661}", true), ("1", false)]),
        ("([a-z&&[^b]]+)", &[("ac", true), ("ab", false)]),
        (
            r"([\x{2028}é-ü])",
            &[("\u{2028}", true), ("ö", true), ("e", false)],
        ),
        // Assertions.
        (r"(.*\b)7(.*)", &[("+7", true), ("47", false)]),
        (r"(.*\B)7", &[("47", true), ("+7", false)]),
        ("(^7$)", &[("7", true), ("77", false)]),
        (r"(\<7\>)", &[("<7>", true), ("7", false)]),
        // Free spacing does not touch the literals around it.
        ("(?x)(7 0 )4 6#", &[("704 6#", true), ("7046#", false)]),
        // Repetitions, lazy and counted; alternation with an empty branch; an empty group.
        (
            "(7{2,3}?)(0+?)(1*?)(2??)(3{1,})",
            &[("7703", true), ("703", false)],
        ),
        (
            "(a||b)()c",
            &[("ac", true), ("c", true), ("bc", true), ("abc", false)],
        ),
        ("(?<name>7)(?P<other>0)", &[("70", true)]),
        // Literals outside of brackets, whatever they look like.
        (
            "é\u{2028}[x](7)",
            &[("é\u{2028}[x]7", true), ("é\u{2028}x7", false)],
        ),
        (r"\Q.\E(.*)", &[(r"\Q.\E1", true)]),
        ("a\nb", &[("a\nb", true)]),
        ("a\n(.*)", &[("a\nb", true), ("a\nb\n", false)]),
    ];
    for (filter, cases) in cases {
        check(filter, Dialect::Android, cases);
    }
}

#[test]
fn equality_display_and_parsing() {
    let filter: CliFilter = "(.*)70123(.*)".parse().unwrap();
    assert_eq!(filter.to_string(), "(.*)70123(.*)");
    assert_eq!(filter, CliFilter::compile("(.*)70123(.*)").unwrap());
    let other = CliFilter::compile_as("(.*)70123(.*)", Dialect::Regex).unwrap();
    assert_ne!(filter, other);
}

//! SMS templates: the table of edge cases.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "sms_template/properties.rs"]
mod properties;

use sinch_verify_protocol::sms_template::{
    CodeAlphabet, ExtractOptions, MAX_TEMPLATE, PLACEHOLDER, SmsTemplate, TemplateError,
};

const BASE: &str = "Your code is {{CODE}}";
const BOUNDED: &str = "Your verification code is {{CODE}}. Verified by Sinch";
const SWEDISH: &str = "Din verifieringskod är {{CODE}}.";

fn check(template: &str, message: &str, options: &ExtractOptions, expected: Option<&str>) {
    let parsed = SmsTemplate::parse(template).unwrap();
    assert_eq!(
        parsed.extract_with(message, options).as_deref(),
        expected,
        "{template:?} from {message:?} with {options:?}"
    );
}

#[test]
fn without_options_a_code_is_extracted_as_the_sdk_does() {
    let rows: &[(&str, &str, Option<&str>)] = &[
        (BASE, "Your code is 1234", Some("1234")),
        (BASE, "Your code is 1234\nXtNB5qNssI/", Some("1234")),
        (BASE, "Your code is 1234\r\nXtNB5qNssI/", Some("1234")),
        (BASE, "Your code is 1234\u{85}x", Some("1234")),
        (BASE, "Your code is 1234\u{2028}x", Some("1234")),
        (BASE, "Your code is 1234\u{2029}x", Some("1234")),
        (BASE, "Your code is 1234 XtNB5qNssI/", Some("1234 XtNB5qNssI/")),
        (BASE, "<#> Your code is 1234", Some("1234")),
        (BASE, "Your code is  1234", Some(" 1234")),
        (BASE, "Your code is 1234 ", Some("1234 ")),
        (BASE, "your code is 1234", None),
        (BASE, "Your code is ", None),
        (BASE, "Your code is \nYour code is 12", Some("12")),
        (BASE, "Your code is\n1234", None),
        (BASE, "Your code\u{a0}is 1234", None),
        (
            BASE,
            "Your code is 12 Your code is 34",
            Some("12 Your code is 34"),
        ),
        (BASE, "Your code is 1234.", Some("1234.")),
        (
            BOUNDED,
            "Your verification code is 1234. Verified by Sinch",
            Some("1234"),
        ),
        (
            BOUNDED,
            "Your verification code is 1234. Verified by Sinch\nXtNB5qNssI/",
            Some("1234"),
        ),
        (BOUNDED, "Your verification code is 1234.", None),
        (
            BOUNDED,
            "Your verification code is 12. Verified by Sinch. Verified by Sinch",
            Some("12. Verified by Sinch"),
        ),
        (SWEDISH, "Din verifieringskod är 1.2.3.", Some("1.2.3")),
        (SWEDISH, "Din verifieringskod a\u{308}r 1234.", None),
        (
            "Tu código de verificación es {{CODE}}.",
            "Tu codigo de verificacion es 1234.",
            None,
        ),
        ("{{CODE}} is your code", "<#> 1234 is your code", Some("<#> 1234")),
        (
            "{{CODE}} Your code is {{CODE}}",
            "cba Your code is abc",
            Some("cba"),
        ),
        ("PIN:{{CODE}}{{CODE}}", "PIN:1234", Some("123")),
        ("PIN:{{CODE}}{{CODE}}", "PIN:1", None),
        ("{{CODE}}", "1234\nhash", Some("1234")),
        ("{{CODE}}", "\n1234", Some("1234")),
        ("{{CODE}}", "", None),
        (
            "Code {{CODE}} (5 min) $1 [x]",
            "Code 42 (5 min) $1 [x]",
            Some("42"),
        ),
        (r"\Qa\E {{CODE}} \E", r"\Qa\E 42 \E", Some("42")),
        ("Code:\n{{CODE}}", "Code:\r\n42", None),
        ("{{{CODE}}}", "{12}", Some("12")),
    ];
    for (template, message, expected) in rows {
        check(template, message, &ExtractOptions::new(), *expected);
    }
}

#[test]
fn each_option_extracts_what_the_sdk_misses() {
    let none = ExtractOptions::new();
    let trim = none.trim(true);
    let numeric = none.alphabet(CodeAlphabet::Numeric);
    let alphanumeric = none.alphabet(CodeAlphabet::Alphanumeric);
    let rows: &[(&str, &str, ExtractOptions, Option<&str>)] = &[
        (BASE, "Your code is 1234 XtNB5qNssI/", numeric, Some("1234")),
        (BASE, "Your code is aB12 XtNB5qNssI/", alphanumeric, Some("aB12")),
        (
            BASE,
            "Your code is aB12",
            none.alphabet(CodeAlphabet::Alpha),
            None,
        ),
        (BASE, "Your code is aB12", numeric, None),
        (BASE, "Your code is  1234", trim, Some("1234")),
        (BASE, "Your code is 1234 ", trim, Some("1234")),
        (BASE, "Your code is  1234", numeric, None),
        (BASE, "Your code is  1234", numeric.trim(true), Some("1234")),
        ("Code {{CODE}}!", "Code  1234 !", numeric.trim(true), Some("1234")),
        // The second "1" is a code that no "!" follows, and then what stands before the code.
        ("1{{CODE}}!", "11 1234!", numeric.trim(true), Some("1234")),
        (BASE, "Your code is  \t", trim, None),
        (
            BASE,
            "Your code\u{a0}is 1234",
            none.fold_whitespace(true),
            Some("1234"),
        ),
        (
            "a\u{202f}b {{CODE}}.",
            "a\u{a0}b\u{2009}12\u{a0}34\u{a0}.",
            none.fold_whitespace(true),
            Some("12 34 "),
        ),
        (
            "a b {{CODE}}.",
            "a\u{a0}b \u{a0}1234\u{a0}.",
            none.fold_whitespace(true).trim(true),
            Some("1234"),
        ),
        (BASE, "Your code is 12 Your code is 34", numeric, Some("12")),
        (BASE, "Your code is 1234.", numeric, Some("1234")),
        (
            BOUNDED,
            "Your verification code is 12. Verified by Sinch. Verified by Sinch",
            none.shortest(true),
            Some("12"),
        ),
        (BASE, "Your code is 1234", none.shortest(true), Some("1234")),
        ("{{CODE}}, {{CODE}}", "1, 2, 3", none.shortest(true), Some("1")),
        ("{{CODE}}, {{CODE}}", "1, 2, 3", none, Some("1, 2")),
        (
            "PIN:{{CODE}}{{CODE}}",
            "PIN:1234",
            none.shortest(true),
            Some("123"),
        ),
        (
            "{{CODE}} is your code",
            "<#> 1234 is your code",
            numeric,
            Some("1234"),
        ),
        (
            "{{CODE}} is your code",
            "Line 99: 1234 is your code",
            numeric,
            Some("1234"),
        ),
        ("Code:\n{{CODE}}", "Code:\r\n42", none.fold_crlf(true), Some("42")),
        ("Code:\r\n{{CODE}}", "Code:\n42", none.fold_crlf(true), Some("42")),
        (
            "Code:\r\n{{CODE}}\r\nBye",
            "x\r\nCode:\r\n42\r\nBye",
            none.fold_crlf(true),
            Some("42"),
        ),
        (
            "Code:\n{{CODE}}",
            "Code:\r\n42\u{a0}\r\nBye",
            none.fold_crlf(true).fold_whitespace(true),
            Some("42 "),
        ),
    ];
    for (template, message, options, expected) in rows {
        check(template, message, options, *expected);
    }
}

#[test]
fn characters_that_cannot_be_seen_are_dropped_from_template_and_message() {
    let drop = ExtractOptions::new().drop_invisible(true);
    let numeric = drop.alphabet(CodeAlphabet::Numeric);
    let rows: &[(&str, &str, ExtractOptions, Option<&str>)] = &[
        (BASE, "Your code is \u{200f}4821", numeric, Some("4821")),
        (BASE, "Your code is \u{2066}4821\u{2069}", numeric, Some("4821")),
        (BASE, "Your code is \u{200b}4821", numeric, Some("4821")),
        (BASE, "Your code is 48\u{ad}21", numeric, Some("4821")),
        (BASE, "Your code is 48\u{ad}21", drop, Some("4821")),
        (BASE, "You\u{ad}r code\u{feff} is 4821.", numeric, Some("4821")),
        (
            "Your\u{200e} code is {{CODE}}",
            "Your code is 4821",
            drop,
            Some("4821"),
        ),
        // A placeholder is the exact text, also where dropping makes another one.
        ("{{CODE}} {{CO\u{ad}DE}}", "12 {{CODE}}", drop, Some("12")),
        (
            BASE,
            "Your code is \u{200f}4821",
            ExtractOptions::new(),
            Some("\u{200f}4821"),
        ),
    ];
    for (template, message, options, expected) in rows {
        check(template, message, options, *expected);
    }
}

#[test]
fn digits_of_every_script_are_a_numeric_code() {
    let numeric = ExtractOptions::new()
        .fold_digits(true)
        .alphabet(CodeAlphabet::Numeric);
    for message in [
        "Your code is ٤٨٢١",
        "Your code is ۴۸۲۱.",
        "Your code is ４８２１",
        "Your code is 4८2１",
    ] {
        check(BASE, message, &numeric, Some("4821"));
    }
    check("رمز ١: {{CODE}}", "رمز 1: ٤٨٢١", &numeric, Some("4821"));
}

#[test]
fn a_run_of_digits_that_is_cut_short_is_no_code() {
    let numeric = ExtractOptions::recommended().alphabet(CodeAlphabet::Numeric);
    let rows: &[(&str, &str, Option<&str>)] = &[
        (BASE, "Your code is 482-193", None),
        (BASE, "Your code is 482\u{2011}193", None),
        (BASE, "Your code is 482.193", None),
        (BASE, "Your code is 482,193", None),
        (BASE, "Your code is 12ab", None),
        (BASE, "Your code is 4821-", Some("4821")),
        (BASE, "Your code is 4821.Bye", Some("4821")),
        (BASE, "Your code is 4821 9XtNB5qNss/", Some("4821")),
        (BASE, "Your code is 4821です", Some("4821")),
        ("{{CODE}} is your code", "482-193 is your code", None),
        ("{{CODE}} is your code", "ab12 is your code", None),
        ("{{CODE}} is your code", "- 4821 is your code", Some("4821")),
        // Literals bound a code.
        ("G-{{CODE}}-1", "G-4821-1", Some("4821")),
        (
            BOUNDED,
            "Your verification code is 482-193. Verified by Sinch",
            None,
        ),
    ];
    for (template, message, expected) in rows {
        check(template, message, &numeric, *expected);
    }
}

#[test]
fn only_the_exact_placeholder_counts() {
    for template in ["Your code is {{code}}", "{{ CODE }}", "CODE", ""] {
        let error = SmsTemplate::parse(template).unwrap_err();
        assert_eq!(error, TemplateError::MissingPlaceholder, "{template:?}");
    }
    let long = "x".repeat(MAX_TEMPLATE) + PLACEHOLDER;
    let bytes = long.len();
    assert_eq!(SmsTemplate::parse(&long), Err(TemplateError::TooLong { bytes }));
}

#[test]
fn hostile_messages_take_linear_time() {
    let spaces = " ".repeat(300_000);
    let digits = "1".repeat(300_000);
    let trim = ExtractOptions::new().alphabet(CodeAlphabet::Numeric).trim(true);
    for template in [
        " {{CODE}}x",
        "1{{CODE}}x",
        "{{CODE}}x",
        " {{CODE}}x{{CODE}}",
        "1{{CODE}}11{{CODE}}x",
    ] {
        let template = SmsTemplate::parse(template).unwrap();
        for message in [&spaces, &digits] {
            assert_eq!(template.extract(message), None);
            assert_eq!(template.extract_with(message, &trim), None);
        }
    }
    let lines = "1\n \n".repeat(100_000);
    let template = SmsTemplate::parse("{{CODE}}\n \n1\n1").unwrap();
    assert_eq!(template.extract(&lines), None);
}

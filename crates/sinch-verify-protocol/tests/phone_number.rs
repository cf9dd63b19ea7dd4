//! Phone numbers, countries and caller ids.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use sinch_verify_protocol::caller_id::{CandidateForm, Candidates};
use sinch_verify_protocol::country::Country;
use sinch_verify_protocol::phone_number::{Masked, PhoneNumber, PhoneNumberError};

#[test]
fn only_e164_is_accepted() {
    let cases: &[(&str, Result<&str, PhoneNumberError>)] = &[
        ("+46700000000", Ok("+4670***00")),
        ("+1234567", Ok("+12***67")),
        ("+12345678", Ok("+123***78")),
        ("+123456789012345", Ok("+1234***45")),
        ("", Err(PhoneNumberError::Empty)),
        ("46700000000", Err(PhoneNumberError::MissingPlus)),
        ("tel:+46700000000", Err(PhoneNumberError::MissingPlus)),
        (" +46700000000", Err(PhoneNumberError::MissingPlus)),
        ("+", Err(PhoneNumberError::TooShort { digits: 0 })),
        ("+123456", Err(PhoneNumberError::TooShort { digits: 6 })),
        ("+1234567890123456", Err(PhoneNumberError::TooLong { digits: 16 })),
        ("+0700000000", Err(PhoneNumberError::LeadingZero)),
        ("+46 700000000", Err(PhoneNumberError::NotADigit { at: 3 })),
        ("++46700000000", Err(PhoneNumberError::NotADigit { at: 1 })),
        ("+46700000000\n", Err(PhoneNumberError::NotADigit { at: 12 })),
        (
            "+4670\u{661}\u{661}\u{661}\u{661}",
            Err(PhoneNumberError::NotADigit { at: 5 }),
        ),
    ];
    for (text, expected) in cases {
        let parsed = PhoneNumber::parse(text);
        let masked = parsed.map(|number| number.masked().to_string());
        assert_eq!(masked.as_deref().map_err(|e| *e), *expected, "{text:?}");
        if let Ok(number) = parsed {
            assert_eq!(number.to_string(), *text);
            assert_eq!(format!("{number:?}"), format!("PhoneNumber({})", number.masked()));
        }
    }
}

#[test]
fn json_is_a_string() {
    let number: PhoneNumber = serde_json::from_str("\"+46700000000\"").unwrap();
    assert_eq!(serde_json::to_string(&number).unwrap(), "\"+46700000000\"");
    let error = serde_json::from_str::<PhoneNumber>("\"46700000000\"").unwrap_err();
    assert!(error.to_string().contains("lacks the leading +"), "{error}");
    assert!(!error.to_string().contains("4670"), "{error}");
}

#[test]
fn country_table_is_sound() {
    let prefixes: Vec<_> = Country::prefixes().collect();
    for pair in prefixes.windows(2) {
        assert!(pair[0].0 < pair[1].0, "{} before {}", pair[0].0, pair[1].0);
    }
    for (prefix, country) in prefixes {
        assert!((1..=7).contains(&prefix.len()), "{prefix}");
        assert!(
            prefix.bytes().all(|b| b.is_ascii_digit()) && !prefix.starts_with('0'),
            "{prefix}"
        );
        assert_eq!(Country::of_digits(prefix), country, "{prefix}");
        let number: PhoneNumber = format!("+{prefix:0<10}").parse().unwrap();
        if country.is_none() {
            assert_eq!(number.country(), None, "{prefix}");
        }
        if let Some(country) = country {
            assert_eq!(country.as_str().parse(), Ok(country), "{prefix}");
            let code = country.calling_code().unwrap();
            assert!(prefix.starts_with(code), "{prefix}: {code}");
        }
    }
}

#[test]
fn countries_of_shared_calling_codes() {
    let cases = [
        ("14155550101", Some("US")),
        ("14165550101", Some("CA")),
        ("18765550101", Some("JM")),
        ("18095550101", Some("DO")),
        ("17875550101", Some("PR")),
        ("18005550101", None),
        ("79991234567", Some("RU")),
        ("77011234567", Some("KZ")),
        ("447700900123", Some("GB")),
        ("441481960194", Some("GG")),
        ("441534960194", Some("JE")),
        ("441624750750", Some("IM")),
        ("390612345678", Some("IT")),
        ("390669812345", Some("VA")),
        ("393331234567", Some("IT")),
        ("61412345678", Some("AU")),
        ("358401234567", Some("FI")),
        ("3581812345", Some("AX")),
        ("4779123456", Some("SJ")),
        ("5999123456", Some("CW")),
        ("5997123456", Some("BQ")),
        ("383441234567", Some("XK")),
        ("88213123456", None),
        ("99912345678", None),
        ("", None),
        ("0701234567", None),
        ("é", None),
    ];
    for (digits, expected) in cases {
        let country = Country::of_digits(digits);
        assert_eq!(country.as_ref().map(Country::as_str), expected, "{digits}");
    }
    for (country, code) in [
        ("US", "1"),
        ("CA", "1"),
        ("JM", "1"),
        ("KZ", "7"),
        ("GG", "44"),
        ("VA", "39"),
        ("SE", "46"),
        ("CW", "599"),
        ("AX", "358"),
    ] {
        assert_eq!(
            Country::parse(country).unwrap().calling_code(),
            Some(code),
            "{country}"
        );
    }
    assert_eq!(Country::parse("ZZ").unwrap().calling_code(), None);
    for bad in ["", "S", "SWE", "S1", "åä"] {
        assert!(Country::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn caller_id_forms_and_the_number_to_report() {
    /// The raw text, the country of the phone, the forms, and the number to report.
    type Case<'a> = (&'a str, Option<&'a str>, &'a [&'a str], Option<&'a str>);

    let cases: &[Case<'_>] = &[
        ("+46700000000", None, &["+46700000000"], Some("+46700000000")),
        (
            "+46 70-000 00.00",
            None,
            &["+46 70-000 00.00", "+46700000000"],
            Some("+46700000000"),
        ),
        (
            "0046700000000",
            None,
            &["0046700000000", "+46700000000"],
            Some("+46700000000"),
        ),
        (
            "46700000000",
            None,
            &["46700000000", "+46700000000"],
            Some("+46700000000"),
        ),
        ("0700000000", None, &["0700000000", "+0700000000"], None),
        (
            "0700000000",
            Some("SE"),
            &["0700000000", "+0700000000", "+46700000000"],
            Some("+46700000000"),
        ),
        (
            "46700000000",
            Some("SE"),
            &["46700000000", "+46700000000", "+4646700000000"],
            Some("+46700000000"),
        ),
        (
            "46700000000",
            Some("PL"),
            &["46700000000", "+46700000000", "+4846700000000"],
            Some("+46700000000"),
        ),
        (
            "40612345",
            Some("NO"),
            &["40612345", "+40612345", "+4740612345"],
            Some("+4740612345"),
        ),
        (
            "(415) 555-0101",
            Some("US"),
            &["(415) 555-0101", "4155550101", "+4155550101", "+14155550101"],
            Some("+14155550101"),
        ),
        (
            "1 415 555 0101",
            Some("US"),
            &["1 415 555 0101", "14155550101", "+14155550101"],
            Some("+14155550101"),
        ),
        (
            "8 999 123-45-67",
            Some("RU"),
            &["8 999 123-45-67", "89991234567", "+89991234567", "+79991234567"],
            Some("+79991234567"),
        ),
        (
            "06 698 12345",
            Some("IT"),
            &["06 698 12345", "0669812345", "+0669812345", "+390669812345"],
            Some("+390669812345"),
        ),
        (
            "+44(0)7777666666",
            None,
            &["+44(0)7777666666", "+447777666666"],
            Some("+447777666666"),
        ),
        (
            "\u{202a}+46 70 000 00 00\u{202c}",
            None,
            &["\u{202a}+46 70 000 00 00\u{202c}", "+46700000000"],
            Some("+46700000000"),
        ),
        ("+48605551295@example", None, &["+48605551295@example"], None),
        ("xyz", Some("SE"), &["xyz"], None),
        ("+", Some("SE"), &["+"], None),
        ("112", None, &["112", "+112"], None),
        ("", None, &[], None),
        (" \t", None, &[], None),
        ("anonymous", Some("SE"), &[], None),
        ("UNKNOWN", None, &[], None),
        ("Private Number", None, &[], None),
        ("-1", None, &[], None),
        ("-2", None, &[], None),
        ("-3", None, &[], None),
    ];
    for (raw, country, forms, report) in cases {
        let mut caller = Candidates::new(raw);
        if let Some(country) = country {
            caller = caller.with_country(country.parse().unwrap());
        }
        let found: Vec<String> = caller.iter().map(|one| one.text().to_owned()).collect();
        assert_eq!(found, *forms, "{raw:?}");
        assert_eq!(
            caller.e164().map(|n| n.to_string()).as_deref(),
            *report,
            "{raw:?}"
        );
        assert_eq!(caller.is_hidden(), forms.is_empty(), "{raw:?}");
    }
}

proptest! {
    #[test]
    fn parse_and_display_round_trip(text in r"\+[1-9][0-9]{6,14}") {
        let number = PhoneNumber::parse(&text).unwrap();
        prop_assert_eq!(number.as_str(), &text);
        prop_assert_eq!(number.to_string().parse(), Ok(number));
        prop_assert_eq!(number.digits(), &text[1..]);
        let json = serde_json::to_string(&number).unwrap();
        prop_assert_eq!(serde_json::from_str::<PhoneNumber>(&json).unwrap(), number);
    }

    #[test]
    fn order_is_that_of_the_texts(a in r"\+[1-9][0-9]{6,14}", b in r"\+[1-9][0-9]{6,14}") {
        let (x, y) = (PhoneNumber::parse(&a).unwrap(), PhoneNumber::parse(&b).unwrap());
        prop_assert_eq!(x.cmp(&y), a.cmp(&b));
    }

    #[test]
    fn mask_never_holds_the_number(text in r"\+?[1-9][0-9]{0,17}") {
        let masked = Masked::new(&text).to_string();
        prop_assert!(!masked.contains(&text));
        prop_assert!(!masked.contains(text.trim_start_matches('+')));
        let shown = masked.bytes().filter(u8::is_ascii_digit).count();
        let all = text.bytes().filter(u8::is_ascii_digit).count();
        prop_assert!(shown <= 6 && shown + 3 <= all.max(3), "{} of {}", shown, all);
    }

    #[test]
    fn nothing_panics(text in any::<String>(), country in "[A-Z]{2}") {
        if let Ok(number) = PhoneNumber::parse(&text) {
            prop_assert_eq!(number.as_str(), text.as_str());
        }
        let _ = Masked::new(&text).to_string();
        let _ = Country::of_digits(&text);
        let caller = Candidates::new(&text).with_country(country.parse().unwrap());
        let _ = (caller.e164(), format!("{caller:?}"));
        let forms: Vec<_> = caller.iter().map(|one| one.text().to_owned()).collect();
        let mut once = forms.clone();
        once.sort();
        once.dedup();
        prop_assert_eq!(once.len(), forms.len());
    }

    #[test]
    fn caller_ids_keep_their_order(raw in r"[+0-9 ().-]{0,20}", country in "(SE|US|RU|IT|NO)") {
        let caller = Candidates::new(&raw).with_country(country.parse().unwrap());
        let forms: Vec<_> = caller.iter().collect();
        if let Some(first) = forms.first() {
            prop_assert_eq!(first.form(), CandidateForm::Raw);
            prop_assert_eq!(first.text(), raw.as_str());
        }
        if let Some(number) = caller.e164() {
            prop_assert!(forms.iter().any(|one| one.text() == number.as_str()));
        }
    }
}

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
        (" +46700000000", Err(PhoneNumberError::NotADigit { at: 0 })),
        ("\u{ff0b}46700000000", Err(PhoneNumberError::NotADigit { at: 0 })),
        (
            "\u{202a}+46700000000\u{202c}",
            Err(PhoneNumberError::Invisible { at: 0 }),
        ),
        ("+4670\u{200b}0000000", Err(PhoneNumberError::Invisible { at: 5 })),
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
        assert!((1..=8).contains(&prefix.len()), "{prefix}");
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
    /// The raw text, the forms, and the number to report.
    type Case<'a> = (&'a str, &'a [&'a str], Option<&'a str>);

    let cases: &[Case<'_>] = &[
        ("+46700000000", &["+46700000000"], Some("+46700000000")),
        (
            "+46 70-000 00.00",
            &["+46 70-000 00.00", "+46700000000"],
            Some("+46700000000"),
        ),
        (
            "+44(0)7777666666",
            &["+44(0)7777666666", "+447777666666"],
            Some("+447777666666"),
        ),
        // Without a country only numbers with `+` are certain.
        ("0046700000000", &["0046700000000", "+46700000000"], None),
        ("46700000000", &["46700000000", "+46700000000"], None),
        ("0700000000", &["0700000000", "+0700000000"], None),
        ("+48605551295@example", &["+48605551295@example"], None),
        ("xyz", &["xyz"], None),
        ("+", &["+"], None),
        ("112", &["112", "+112"], None),
        ("", &[], None),
        (" \t", &[], None),
        ("anonymous", &[], None),
        ("UNKNOWN", &[], None),
        ("Private Number", &[], None),
        ("\u{200e}anonymous\u{200e}", &[], None),
        ("-1", &[], None),
        ("-2", &[], None),
        ("-3", &[], None),
    ];
    for (raw, forms, report) in cases {
        let caller = Candidates::new(raw);
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

#[test]
fn what_cannot_be_seen_in_a_caller_id_is_ignored() {
    for mark in [
        '\u{fe0d}', '\u{ad}', '\u{200b}', '\u{200e}', '\u{202a}', '\u{2060}', '\u{2066}', '\u{feff}',
    ] {
        let raw = format!("{mark}+46{mark} 70{mark}{mark}-000 00 00{mark}");
        let caller = Candidates::new(&raw);
        assert_eq!(caller.e164().unwrap().as_str(), "+46700000000", "{mark:?}");
        let forms: Vec<_> = caller.iter().map(|one| one.form()).collect();
        assert_eq!(forms, [CandidateForm::Raw, CandidateForm::Stripped], "{mark:?}");
    }
}

#[test]
fn digits_of_every_script_are_those_of_a_caller_id() {
    for raw in [
        "+٤٦٧٠٠٠٠٠٠٠٠",
        "+۴۶۷۰۰۰۰۰۰۰۰",
        "＋４６　７００００００００",
        "+४६७००००००००",
    ] {
        assert_eq!(
            Candidates::new(raw).e164().unwrap().as_str(),
            "+46700000000",
            "{raw}"
        );
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
    fn nothing_panics(text in any::<String>()) {
        if let Ok(number) = PhoneNumber::parse(&text) {
            prop_assert_eq!(number.as_str(), text.as_str());
        }
        let _ = Masked::new(&text).to_string();
        let _ = Country::of_digits(&text);
        let caller = Candidates::new(&text);
        let _ = (caller.e164(), format!("{caller:?}"));
        let forms: Vec<_> = caller.iter().map(|one| one.text().to_owned()).collect();
        let mut once = forms.clone();
        once.sort();
        once.dedup();
        prop_assert_eq!(once.len(), forms.len());
    }

    #[test]
    fn caller_ids_keep_their_order(raw in r"[+0-9 ().-]{0,20}") {
        let caller = Candidates::new(&raw);
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

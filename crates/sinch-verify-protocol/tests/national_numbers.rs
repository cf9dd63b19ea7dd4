//! Numbers as they are dialled, shown and typed inside a country.
#![cfg(feature = "national-numbers")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat, PhoneNumberType};
use sinch_verify_protocol::caller_id::{CandidateForm, Candidates};
use sinch_verify_protocol::cli_filter::CliFilter;
use sinch_verify_protocol::country::Country;
use sinch_verify_protocol::identity::Identity;
use sinch_verify_protocol::number_plans::{NumberKind, NumberPlans, TypedNumberError};
use sinch_verify_protocol::phone_number::{PhoneNumber, PhoneNumberError};

const PLANS: NumberPlans = NumberPlans::new();

fn country(code: &str) -> Country {
    code.parse().unwrap()
}

/// The number that is reported for a caller id, if it is certain.
fn reported(home: &str, caller_id: &str) -> Option<String> {
    let caller = Candidates::new(caller_id).with_country(country(home), &PLANS);
    caller.e164().map(|number| number.to_string())
}

#[test]
fn a_caller_id_is_read_by_the_plan_of_the_country() {
    for (home, caller_id, number) in [
        ("BY", "8 029 123 45 67", "+375291234567"),
        ("BY", "8 10 46 70 000 00 01", "+46700000001"),
        ("LT", "8 612 34567", "+37061234567"),
        ("BR", "11 91234-5678", "+5511912345678"),
        ("BR", "015 11 91234-5678", "+5511912345678"),
        ("AR", "011 15-2345-6789", "+5491123456789"),
        ("CN", "13800138000", "+8613800138000"),
        ("IN", "98765 43210", "+919876543210"),
        ("IT", "333 123 4567", "+393331234567"),
        ("IT", "06 698 12345", "+390669812345"),
        ("RU", "9161234567", "+79161234567"),
        ("RU", "8 916 123-45-67", "+79161234567"),
        ("CO", "300 123 4567", "+573001234567"),
        ("TR", "532 123 45 67", "+905321234567"),
        ("AU", "0011 46 70 000 00 01", "+46700000001"),
        ("US", "011 44 20 7946 0018", "+442079460018"),
        ("HK", "001 46 70 000 00 01", "+46700000001"),
        ("SE", "0700000001", "+46700000001"),
        ("SE", "46700000001", "+46700000001"),
        ("SE", "0046 70 000 00 01", "+46700000001"),
        ("SE", "+460700000001", "+46700000001"),
        ("SE", "+1 415 555 0101", "+14155550101"),
        ("NO", "40 61 23 45", "+4740612345"),
        ("US", "(415) 555-0101", "+14155550101"),
        ("US", "1 415 555 0101", "+14155550101"),
        ("SE", "\u{202a}070\u{ad}-000 00 01\u{202c}", "+46700000001"),
        ("IR", "۰۹۱۲ ۳۴۵ ۶۷۸۹", "+989123456789"),
    ] {
        assert_eq!(
            reported(home, caller_id).as_deref(),
            Some(number),
            "{home} {caller_id}"
        );
    }
}

#[test]
fn a_reading_that_no_plan_has_is_not_reported() {
    for (home, caller_id) in [
        // The plan of Mexico before 2019.
        ("MX", "044 55 1234 5678"),
        ("PL", "46700000001"),
        ("SE", "112"),
        ("SE", "0700"),
        ("US", "0046700000001"),
        ("ZZ", "0700000001"),
        ("SE", "0700000001@example"),
        ("SE", "anonymous"),
    ] {
        assert_eq!(reported(home, caller_id), None, "{home} {caller_id}");
    }
    // The sender's own `+` stands where the plans may be older than the number.
    assert_eq!(reported("SE", "+46 999 999").as_deref(), Some("+46999999"));
}

#[test]
fn a_filter_is_matched_against_the_number_by_plan() {
    let filter = CliFilter::compile("+375291234567").unwrap();
    let caller = Candidates::new("8 029 123 45 67");
    assert!(filter.find(&caller).is_none());
    let caller = caller.with_country(country("BY"), &PLANS);
    assert_eq!(filter.find(&caller).unwrap().form(), CandidateForm::National);
}

#[test]
fn a_typed_number_is_read_in_its_country() {
    for (text, home, number) in [
        ("0701-23 45 67", Some("SE"), "+46701234567"),
        ("+46 (0)701-23 45 67", None, "+46701234567"),
        ("\u{202a}+46700000001\u{202c}", None, "+46700000001"),
        (" +46700000001", None, "+46700000001"),
        ("\u{ff0b}46700000001", None, "+46700000001"),
        ("٠٧٠١٢٣٤٥٦٧", Some("SE"), "+46701234567"),
        ("۰۹۱۲۳۴۵۶۷۸۹", Some("IR"), "+989123456789"),
        ("０７０－１２３４－５６７８", Some("JP"), "+817012345678"),
        ("（０３）１２３４－５６７８", Some("JP"), "+81312345678"),
        ("46700000001", Some("SE"), "+46700000001"),
        ("8 (916) 123-45-67", Some("RU"), "+79161234567"),
    ] {
        let read = PhoneNumber::from_typed(text, home.map(country), &PLANS);
        assert_eq!(
            read.map(|number| number.to_string()).as_deref(),
            Ok(number),
            "{text}"
        );
    }
}

#[test]
fn a_typed_number_that_is_not_certain_is_refused_with_what_can_be_offered() {
    let sweden = country("SE");
    let meant: PhoneNumber = "+46700000001".parse().unwrap();
    let poland = country("PL");
    for (text, home, error) in [
        ("", None, TypedNumberError::Empty),
        ("0700 CALL ME", Some(sweden), TypedNumberError::NotANumber),
        (
            "+46",
            None,
            TypedNumberError::International(PhoneNumberError::TooShort { digits: 2 }),
        ),
        (
            "46700000001",
            None,
            TypedNumberError::NoCountry {
                suggestion: Some(meant),
            },
        ),
        (
            "0046700000001",
            None,
            TypedNumberError::NoCountry {
                suggestion: Some(meant),
            },
        ),
        (
            "0700000001",
            None,
            TypedNumberError::NoCountry { suggestion: None },
        ),
        (
            "46700000001",
            Some(poland),
            TypedNumberError::NotOfCountry {
                country: poland,
                suggestion: Some(meant),
            },
        ),
        (
            "07000",
            Some(sweden),
            TypedNumberError::NotOfCountry {
                country: sweden,
                suggestion: None,
            },
        ),
        (
            "+460700000001",
            None,
            TypedNumberError::TrunkPrefix { suggestion: meant },
        ),
    ] {
        assert_eq!(PhoneNumber::from_typed(text, home, &PLANS), Err(error), "{text}");
        assert!(!error.to_string().contains("70"), "{error}");
    }
}

#[test]
fn a_request_for_a_number_with_its_trunk_prefix_has_an_anomaly() {
    let anomaly = |number: &str| PLANS.anomaly(&Identity::number(number.parse().unwrap()));
    for odd in ["+460700000001", "+610491570006"] {
        assert_eq!(
            anomaly(odd).unwrap().to_string(),
            "identity.endpoint: trunk prefix (mostly a 0) kept after the calling code"
        );
    }
    // In Italy the 0 is a part of the number.
    for right in ["+46700000001", "+390669812345", "+14155550101", "+99912345678"] {
        assert_eq!(anomaly(right), None, "{right}");
    }
}

/// Every example number of the library's data, with its region.
fn examples() -> impl Iterator<Item = (Country, rlibphonenumber::PhoneNumber)> {
    const TYPES: &[PhoneNumberType] = &[
        PhoneNumberType::FixedLine,
        PhoneNumberType::Mobile,
        PhoneNumberType::TollFree,
        PhoneNumberType::PremiumRate,
        PhoneNumberType::SharedCost,
        PhoneNumberType::VoIP,
        PhoneNumberType::PersonalNumber,
        PhoneNumberType::Pager,
        PhoneNumberType::UAN,
        PhoneNumberType::VoiceMail,
    ];
    PHONE_NUMBER_UTIL.get_supported_regions().flat_map(|region| {
        TYPES.iter().filter_map(move |kind| {
            let example = PHONE_NUMBER_UTIL.get_example_number_for_type_and_region(region, *kind);
            Some((country(&region.to_string()), example.ok()?))
        })
    })
}

fn written(number: &rlibphonenumber::PhoneNumber, format: PhoneNumberFormat) -> String {
    PHONE_NUMBER_UTIL.format(number, format).into_owned()
}

#[test]
fn example_numbers_of_every_country_are_read_in_both_forms() {
    let mut count = 0;
    for (home, number) in examples() {
        let full = written(&number, PhoneNumberFormat::E164);
        // Some countries have numbers of services that are shorter than any number of E.164.
        let Ok(expected) = full.parse::<PhoneNumber>() else {
            continue;
        };
        if !PHONE_NUMBER_UTIL.is_valid_number(&number) {
            continue;
        }
        count += 1;
        for format in [PhoneNumberFormat::International, PhoneNumberFormat::National] {
            let text = written(&number, format);
            let caller = Candidates::new(&text).with_country(home, &PLANS);
            assert_eq!(caller.e164(), Some(expected), "{home} {text:?}");
        }
    }
    assert!(count > 1000, "only {count} examples");
}

#[test]
fn the_table_of_countries_agrees_with_the_plans() {
    for (_, number) in examples() {
        let Some(region) = PHONE_NUMBER_UTIL.get_region_for_number(&number) else {
            continue;
        };
        let full = written(&number, PhoneNumberFormat::E164);
        let (digits, table) = (&full[1..], Country::of_digits(&full[1..]));
        // Freephone and premium numbers of North America belong to no country in the table. The library's
        // +1310 1234 is one of seven digits inside Canada; with ten digits +1310 is in California.
        let no_country = ["1800", "1900"].iter().any(|code| digits.starts_with(code));
        if no_country || digits == "13101234" {
            continue;
        }
        assert_eq!(table, Some(country(&region.to_string())), "{full}");
    }
}

proptest! {
    #[test]
    fn nothing_panics(text in any::<String>(), digits in r"\PC{0,3}[+0-9 ().-]{0,24}", home in "[A-Z]{2}") {
        for text in [&text, &digits] {
            let caller = Candidates::new(text).with_country(country(&home), &PLANS);
            if let Some(number) = caller.e164() {
                prop_assert!(caller.iter().any(|one| one.text() == number.as_str()));
            }
            let forms: Vec<_> = caller.iter().map(|one| one.text().to_owned()).collect();
            let mut once = forms.clone();
            once.sort();
            once.dedup();
            prop_assert_eq!(once.len(), forms.len());
            let _ = PhoneNumber::from_typed(text, country(&home), &PLANS);
        }
    }

    #[test]
    fn what_is_read_reads_as_itself(digits in "[0-9]{4,14}", home in "(SE|US|RU|IT|BR|AR|MX|BY|AU|CI)") {
        if let Ok(number) = PhoneNumber::from_typed(&digits, country(&home), &PLANS) {
            prop_assert_eq!(PhoneNumber::from_typed(number.as_str(), country(&home), &PLANS), Ok(number));
            prop_assert_eq!(PhoneNumber::from_typed(number.as_str(), None, &PLANS), Ok(number));
        }
    }
}

#[test]
fn premium_rate_and_unallocated_numbers_are_told_from_others() {
    for (number, kind) in [
        ("+447400123456", NumberKind::Ordinary),
        ("+46701740605", NumberKind::Ordinary),
        ("+449098790000", NumberKind::PremiumRate),
        ("+19002345678", NumberKind::PremiumRate),
        ("+999123456789", NumberKind::Unallocated),
        ("+46000000000", NumberKind::Unallocated),
        // Reserved for fiction.
        ("+447700900123", NumberKind::Unallocated),
    ] {
        assert_eq!(PLANS.kind(&number.parse().unwrap()), kind, "{number}");
    }
}

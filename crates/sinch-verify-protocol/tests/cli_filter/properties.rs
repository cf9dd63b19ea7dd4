//! The fast paths against the `regex` crate, and properties of every filter.

use proptest::prelude::*;
use sinch_verify_protocol::caller_id::Candidates;
use sinch_verify_protocol::cli_filter::{CliFilter, Dialect, FilterError};

/// The Android rule, written down independently: `None` where it does not compile.
fn reference(filter: &str) -> Option<regex::Regex> {
    const DOT: &str = r"[^\n\r\x{85}\x{2028}\x{2029}]";
    let mut pattern = String::from(r"\A");
    let mut group: Option<String> = None;
    for c in filter.chars() {
        match (c, &mut group) {
            ('(', None) => group = Some(String::new()),
            ('(', Some(_)) => return None,
            (')', Some(inside)) if repeats_a_repetition(inside) => return None,
            (')', Some(inside)) => {
                pattern.push_str(&format!("({})", inside.replace('.', DOT)));
                group = None;
            }
            (')', None) => pattern.push_str(r"\)\\Q"),
            (c, Some(inside)) => inside.push(c),
            (c, None) => pattern.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    pattern.push_str(r"\z");
    match group {
        Some(_) => None,
        None => regex::Regex::new(&pattern).ok(),
    }
}

/// Whether a repetition is repeated: possessive, or an error, in Java; nothing special in Rust.
/// One `?` behind a repetition only makes it lazy.
fn repeats_a_repetition(pattern: &str) -> bool {
    let mut repetitions = 0;
    let mut lazy = false;
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '?' if repetitions == 1 && !lazy => lazy = true,
            '*' | '+' | '?' => repetitions += 1,
            _ => {
                (repetitions, lazy) = (0, false);
                if c == '\\' {
                    chars.next();
                }
            }
        }
        if repetitions > 1 {
            return true;
        }
    }
    false
}

fn words(words: &'static [&'static str], most: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(words), 0..most).prop_map(|all| all.concat())
}

const FILTER_WORDS: &[&str] = &[
    "(.*)", "(.*)", "(.*)", "(7|0)", "(7+)", "7", "0", "70", "+", ".", "é", "\n", "\r", "\u{85}", "\u{2028}",
    "a", ")", "(", "*", "[", "\\", "?",
];
const NUMBER_WORDS: &[&str] = &[
    "7", "0", "70", "+", ".", "é", "\n", "\r", "\u{85}", "\u{2028}", "\u{2029}", "a", "(", ")", "*", "[",
    "\\", "?", ")\\Q",
];

#[test]
fn a_repeated_repetition_is_refused() {
    for filter in ["(7+*)", "(7*+)", "(7**)", "(7?+)", "(7+??)", "(.*)(0++)"] {
        assert!(
            matches!(CliFilter::compile(filter), Err(FilterError::Unsupported { .. })),
            "{filter}"
        );
        assert!(reference(filter).is_none(), "{filter}");
    }
    for filter in ["(7+?)", "(7*?)", r"(\+*)", "(7+0*)"] {
        assert!(
            CliFilter::compile(filter).is_ok() && reference(filter).is_some(),
            "{filter}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn agrees_with_the_regex_engine(
        filter in words(FILTER_WORDS, 9),
        numbers in prop::collection::vec(words(NUMBER_WORDS, 9), 1..8),
    ) {
        let expected = reference(&filter);
        let compiled = CliFilter::compile(&filter);
        prop_assert_eq!(compiled.is_ok(), expected.is_some(), "{:?}: {:?}", filter, compiled);
        if let (Ok(compiled), Some(expected)) = (compiled, expected) {
            for number in &numbers {
                prop_assert_eq!(
                    compiled.matches(number), expected.is_match(number),
                    "{:?} against {:?}", filter, number
                );
            }
        }
    }

    #[test]
    fn agrees_on_filters_made_from_the_number(
        parts in prop::collection::vec((words(NUMBER_WORDS, 4), any::<bool>()), 1..6),
    ) {
        let number: String = parts.iter().map(|(text, _)| text.as_str()).collect();
        let filter: String = parts
            .iter()
            .map(|(text, keep)| if *keep { text.as_str() } else { "(.*)" })
            .collect();
        if let (Ok(compiled), Some(expected)) = (CliFilter::compile(&filter), reference(&filter)) {
            prop_assert_eq!(compiled.matches(&number), expected.is_match(&number), "{:?}", filter);
        }
    }

    #[test]
    fn a_filter_between_two_wildcards_is_containment(digits in "[0-9]{0,40}", number in "[+0-9 ]{0,50}") {
        let filter = CliFilter::compile(&format!("(.*){digits}(.*)")).unwrap();
        prop_assert_eq!(filter.matches(&number), number.contains(&digits));
        let inside = format!("{number}{digits}{number}");
        prop_assert!(filter.matches(&inside));
    }

    #[test]
    fn a_filter_without_brackets_is_equality(filter in "[^()]{0,40}", number in "[^()]{0,40}") {
        let compiled = CliFilter::compile(&filter).unwrap();
        prop_assert!(compiled.matches(&filter));
        prop_assert_eq!(compiled.matches(&number), number == filter);
    }

    #[test]
    fn never_panics(filter in any::<String>(), number in any::<String>()) {
        for dialect in [Dialect::Android, Dialect::Regex, Dialect::Auto] {
            match CliFilter::compile_as(&filter, dialect) {
                Ok(compiled) => {
                    prop_assert_eq!(compiled.as_str(), filter.as_str());
                    let _ = compiled.matches(&number);
                    let _ = compiled.find(&Candidates::new(&number));
                }
                Err(error) => prop_assert!(error.to_string().starts_with("invalid filter: ")),
            }
        }
    }

    #[test]
    fn never_panics_on_regex_syntax(
        filter in r"(\PC|[\[\]()|*+?{}^$.\\dwsbi&~:<>=!,0-9-]){0,30}",
        number in r"\PC{0,20}",
    ) {
        for dialect in [Dialect::Android, Dialect::Regex, Dialect::Auto] {
            match CliFilter::compile_as(&filter, dialect) {
                Ok(compiled) => {
                    let _ = compiled.matches(&number);
                }
                // Whatever is accepted by the parser must also survive being written anew.
                Err(FilterError::Syntax { message, .. }) => {
                    prop_assert!(!message.contains("regex parse error"), "{}: {}", filter, message);
                }
                Err(_) => {}
            }
        }
    }
}

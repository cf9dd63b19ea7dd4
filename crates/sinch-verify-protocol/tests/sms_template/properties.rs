//! The hand-made search against the `regex` crate, and properties of every template.

use proptest::prelude::*;
use regex::Regex;
use sinch_verify_protocol::sms_template::{CodeAlphabet, ExtractOptions, PLACEHOLDER, SmsTemplate};

/// The definition: literals around greedy groups, the leftmost match, the first group.
fn reference(template: &str, options: Option<(CodeAlphabet, bool)>, shortest: bool) -> Regex {
    let class = match options {
        None => r"[^\n\r\x{85}\x{2028}\x{2029}]",
        Some((CodeAlphabet::Numeric, _)) => "[0-9]",
        Some((CodeAlphabet::Alpha, _)) => "[A-Za-z]",
        Some(_) => "[0-9A-Za-z]",
    };
    let gap = match options {
        Some((_, true)) => r"[\t\x0B\x0C \u{a0}]*",
        _ => "",
    };
    let literals: Vec<&str> = template.split(PLACEHOLDER).collect();
    let mut pattern = regex::escape(literals[0]);
    for literal in &literals[1..] {
        let lazy = if shortest && !literal.is_empty() { "?" } else { "" };
        pattern.push_str(&format!("{gap}({class}+{lazy}){gap}{}", regex::escape(literal)));
    }
    Regex::new(&pattern).unwrap()
}

/// Whether what stands beside the code, with no literal between, makes it a part of something longer.
fn is_cut(template: &str, text: &str, code: std::ops::Range<usize>) -> bool {
    let is = |pattern: &str, text: &str| Regex::new(pattern).unwrap().is_match(text);
    template.matches(PLACEHOLDER).count() == 1
        && (template.starts_with(PLACEHOLDER) && is(r"(?:[0-9A-Za-z]|[0-9][-.,/_])\z", &text[..code.start])
            || template.ends_with(PLACEHOLDER) && is(r"\A(?:[0-9A-Za-z]|[-.,/_][0-9])", &text[code.end..]))
}

fn words(words: &'static [&'static str], most: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(words), 0..most).prop_map(|all| all.concat())
}

const LITERALS: &[&str] = &[
    "a", "ab", "1", " ", ".", "é", "\n", "\r\n", "\u{2028}", "\u{a0}", "{",
];
const MESSAGES: &[&str] = &[
    "a", "ab", "b", "1", "2", " ", ".", "é", "\n", "\r\n", "\r", "\u{85}", "\u{2028}", "\u{a0}", "{", "\t",
];

fn templates() -> impl Strategy<Value = String> {
    prop::collection::vec(words(LITERALS, 3), 2..5).prop_map(|parts| parts.join(PLACEHOLDER))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn agrees_with_the_regex_engine(
        template in templates(),
        message in words(MESSAGES, 16),
        shortest in any::<bool>(),
    ) {
        let parsed = SmsTemplate::parse(&template).unwrap();
        let reference = reference(&template, None, shortest);
        for text in [message.clone(), parsed.render(&message), parsed.render("1") + &message] {
            let expected = reference.captures(&text).map(|found| found.get(1).unwrap().as_str());
            let options = ExtractOptions::new().shortest(shortest);
            let code = parsed.extract_with(&text, &options);
            prop_assert_eq!(code.as_deref(), expected, "{:?} from {:?}", template, text);
        }
    }

    #[test]
    fn agrees_on_alphabets_and_gaps(
        template in templates(),
        message in words(MESSAGES, 16),
        alphabet in prop::sample::select(&[CodeAlphabet::Numeric, CodeAlphabet::Alpha, CodeAlphabet::Alphanumeric][..]),
        trim in any::<bool>(),
        shortest in any::<bool>(),
    ) {
        let parsed = SmsTemplate::parse(&template).unwrap();
        let options = ExtractOptions::new().alphabet(alphabet).trim(trim).shortest(shortest);
        let reference = reference(&template, Some((alphabet, trim)), shortest);
        for text in [message.clone(), parsed.render(&message), parsed.render("1 ") + &message] {
            let found = reference.captures(&text).map(|found| found.get(1).unwrap());
            let expected = found.filter(|code| !is_cut(&template, &text, code.range()));
            let code = parsed.extract_with(&text, &options);
            prop_assert_eq!(
                code.as_deref(), expected.map(|code| code.as_str()),
                "{:?} from {:?} with {:?}", template, text, options
            );
        }
    }

    #[test]
    fn folding_equals_matching_folded_texts(template in templates(), message in words(MESSAGES, 16)) {
        let fold = |text: &str| text.replace("\r\n", "\n").replace(['\u{a0}', '\t'], " ");
        let options = ExtractOptions::new().fold_crlf(true).fold_whitespace(true);
        let parsed = SmsTemplate::parse(&template).unwrap();
        let folded = SmsTemplate::parse(&fold(&template)).unwrap();
        for text in [message.clone(), parsed.render(&message)] {
            let expected = folded.extract(&fold(&text)).map(str::to_owned);
            let found = parsed.extract_with(&text, &options);
            prop_assert_eq!(found.as_deref(), expected.as_deref(), "{:?} from {:?}", template, text);
        }
    }

    #[test]
    fn what_is_rendered_is_extracted(
        before in r"\PC{0,12}", after in r"\PC{0,12}", code in r"\PC{1,8}",
    ) {
        let template = format!("{before}{PLACEHOLDER}{after}");
        prop_assume!(template.matches(PLACEHOLDER).count() == 1);
        prop_assume!(!code.contains(['\u{85}', '\u{2028}', '\u{2029}']));
        let parsed = SmsTemplate::parse(&template).unwrap();
        let message = parsed.render(&code);
        prop_assert_eq!(parsed.extract(&message), Some(code.as_str()));
        if after.is_empty() || !(code.clone() + &after).match_indices(&after).any(|(at, _)| at < code.len()) {
            let shortest = ExtractOptions::new().shortest(true);
            let found = parsed.extract_with(&message, &shortest);
            prop_assert_eq!(found.as_deref(), Some(code.as_str()));
        }
    }

    #[test]
    fn never_panics(template in any::<String>(), message in any::<String>(), bits in 0u8..128) {
        let mut options = ExtractOptions::new()
            .trim(bits & 1 != 0)
            .shortest(bits & 2 != 0)
            .fold_crlf(bits & 4 != 0)
            .fold_whitespace(bits & 8 != 0);
        if bits & 16 != 0 {
            options = options.alphabet(CodeAlphabet::Alphanumeric);
        }
        options = options.fold_digits(bits & 32 != 0).drop_invisible(bits & 64 != 0);
        let folds = bits & (4 | 8 | 32 | 64) != 0;
        for text in [template.clone(), format!("{template}{PLACEHOLDER}"), format!("{PLACEHOLDER}{template}{PLACEHOLDER}")] {
            if let Ok(parsed) = SmsTemplate::parse(&text) {
                prop_assert_eq!(parsed.as_str(), text.as_str());
                if let Some(code) = parsed.extract_with(&message, &options) {
                    prop_assert!((folds || message.contains(&*code)) && !code.is_empty());
                }
            }
        }
    }
}

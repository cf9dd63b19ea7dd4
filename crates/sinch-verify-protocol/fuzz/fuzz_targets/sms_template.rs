//! A template and a message.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sinch_verify_protocol::SmsTemplate;
use sinch_verify_protocol::sms_template::{CodeAlphabet, ExtractOptions};

fuzz_target!(|input: (&str, &str, u8)| {
    let (template, message, choice) = input;
    if let Ok(template) = SmsTemplate::parse(template) {
        if let Some(code) = template.extract(message) {
            assert!(!code.is_empty() && message.contains(code));
        }
        let options = ExtractOptions::new()
            .trim(choice & 1 != 0)
            .shortest(choice & 2 != 0)
            .fold_crlf(choice & 4 != 0)
            .fold_whitespace(choice & 8 != 0)
            .fold_digits(choice & 32 != 0)
            .drop_invisible(choice & 64 != 0);
        let options = if choice & 16 != 0 { options.alphabet(CodeAlphabet::Numeric) } else { options };
        let _ = template.extract_with(message, &options);
        if template.as_str().matches("{{CODE}}").count() == 1 {
            assert!(template.extract(&template.render("4821")).is_some());
        }
    }
});

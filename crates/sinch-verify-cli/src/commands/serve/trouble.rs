//! What went wrong with callbacks, where it can be seen.

use std::convert::Infallible;

use sinch_verify_emulator::{Delivery, Emulator};

use crate::print::note;

/// Says on standard error which callbacks failed. A start's answer does not tell one failure from another.
pub(super) async fn tell(emulator: &Emulator) -> Infallible {
    let mut seen = 0;
    loop {
        let delivery = emulator.next_failed_delivery(seen).await;
        seen = delivery.seq;
        // What was ordered through the control interface is answered there.
        let ordered = delivery.replay_of.is_some() || delivery.variant.is_some();
        if !ordered {
            note!("{}", told(&delivery));
        }
    }
}

fn told(delivery: &Delivery) -> String {
    let Delivery {
        event, url, attempt, ..
    } = delivery;
    let verdict = delivery.verdict.as_deref().unwrap_or("no usable answer");
    let hint = match delivery.status {
        None if verdict.starts_with("no connection") => "; is the receiver running there?",
        Some(401 | 403) => "; does the receiver have this application's key and secret?",
        Some(404 | 405) => "; is the path right?",
        _ => "",
    };
    let answered = delivery.status.map(|status| format!("answered {status}: "));
    let answered = answered.unwrap_or_default();
    format!("callback {event} to {url}, try {attempt}: {answered}{verdict}{hint}")
}

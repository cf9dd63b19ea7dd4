use sinch_verify_protocol::method::{Callout, FlashCall};
use std::time::{Duration, Instant};

use super::*;
use crate::failure::{Failure, FailureKind};
use crate::flows::Flow;
use crate::measure::{FlowEnd, FlowRecord, Interval, Latency, Second, Span, Timed};
use crate::runfile::{Load, sample_run};
use crate::verdict::{Thresholds, Verdict};

/// 40 s at 50/s of three flows, against a target that freezes for 2 s at the 20th, with a warm-up of
/// 4 s. Every 29th flow that fell due in the freeze fails.
fn stalled() -> RunFile {
    let mut run = sample_run();
    run.seconds = 40.0;
    run.setup.duration_seconds = 40.0;
    run.setup.warm_up_seconds = 4.0;
    let mut latencies = vec![Latency::default(); 40];
    run.series = (0..40)
        .map(|at| Second {
            at,
            ..Second::default()
        })
        .collect();
    for flow in 0..2000_u64 {
        let due_ms = flow * 20;
        let took_ms = match due_ms % 20_000 {
            since @ 0..2000 if due_ms >= 20_000 => 2000 - since + 8,
            _ => 8 + flow * 7919 % 13,
        };
        let second = usize::try_from((due_ms + took_ms) / 1000).unwrap().min(39);
        let failed = took_ms > 100 && flow % 29 == 0;
        run.series[usize::try_from(due_ms / 1000).unwrap()].scheduled += 1;
        run.series[second].finished += 1;
        run.series[second].failed += u64::from(failed);
        run.series[second].callbacks += 2;
        if !failed {
            latencies[second].record(Duration::from_millis(took_ms));
        }
        if due_ms >= 4000 {
            add(&mut run, flow, took_ms, failed);
        }
    }
    for (second, latency) in run.series.iter_mut().zip(latencies) {
        second.in_flight = if second.at == 20 { 50 } else { 1 };
        second.p50_us = u64::try_from(latency.percentile(50.0).as_micros()).unwrap();
        second.p99_us = u64::try_from(latency.percentile(99.0).as_micros()).unwrap();
        second.end_to_end = latency.pack();
    }
    run.generator.cpu = Some(0.31);
    let thresholds: Thresholds = "e2e.p99 = '< 1s'\nerror-rate = '< 1%'\nthroughput = '>= 49/s'"
        .parse()
        .unwrap();
    run.verdict = Some(Verdict::judge(&run, &thresholds));
    run
}

fn add(run: &mut RunFile, flow: u64, took_ms: u64, failed: bool) {
    let due = Instant::now();
    let span = Span {
        due: Some(due),
        started: due + Duration::from_micros(200),
        ended: due + Duration::from_millis(took_ms),
    };
    let end = if failed {
        let hostile = "<script>alert(1)</script> | `x` @everyone & \"quoted\"";
        FlowEnd::Failed(Failure::new(FailureKind::Api(50000), hostile))
    } else {
        FlowEnd::Succeeded
    };
    let third = Duration::from_millis(took_ms / 3);
    let times = [Interval::Start, Interval::Phone, Interval::Report]
        .map(|interval| Timed::new(interval, third, true))
        .to_vec();
    let which = match flow % 10 {
        0 => Flow::Verify(&Callout::INFO),
        1 | 2 => Flow::Verify(&FlashCall::INFO),
        _ => Flow::SMS,
    };
    run.flows.record(&FlowRecord::new(which, end, span, times));
    run.counters.scheduled += 1;
    run.counters.started += 1;
    run.counters.finished += 1;
    run.counters.failed += u64::from(failed);
}

/// What no page may hold: anything that is fetched, anything that runs, and a figure that is none.
fn assert_self_contained(html: &str) {
    for banned in [
        "<script", "<link", "<img", "<iframe", " src=", "href=", "url(", "@import", "http:", "https:", "NaN",
        "inf\"", "\"-inf", "infinity",
    ] {
        assert!(!html.contains(banned), "{banned} is in the page");
    }
    for handler in ["onload", "onerror", "onclick"] {
        assert!(!html.contains(&format!("{handler}=")), "{handler}");
    }
    assert_eq!(html.matches("<svg ").count(), html.matches("</svg>").count());
    assert_eq!(html.matches("<figure").count(), html.matches("</figure>").count());
    assert_eq!(
        html.matches("<section").count(),
        html.matches("</section>").count()
    );
}

#[test]
fn page_shows_the_run_and_needs_nothing_else() {
    let run = stalled();
    let html = Reports::on(&run).html();
    assert_self_contained(&html);
    assert_eq!(html.matches("<svg ").count(), 6);
    for shown in [
        "<p class=\"word\">Fail</p>",
        "sms: 50/s for 40 s, lean transport, against an emulator of its own",
        "<li>e2e.p99 is 1648.6 ms, not &lt; 1000 ms</li>",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "all flows",
        "99.9 %",
        "warm-up",
    ] {
        assert!(html.contains(shown), "{shown}");
    }
    // Nothing finished while the target stood still, so the lines of latency are broken there.
    let line = html.split("class=\"line c1\" d=\"").nth(1).unwrap();
    assert_eq!(line.split('"').next().unwrap().matches('M').count(), 2);
}

#[test]
fn page_tells_callbacks_that_did_not_come_from_those_that_were_not_asked_for() {
    let mut run = stalled();
    for second in &mut run.series {
        second.callbacks = 0;
    }
    let says = |run: &RunFile, text: &str| Reports::on(run).html().contains(text);
    assert!(says(&run, "though the run listened for them"));
    run.setup.callbacks = false;
    assert!(says(&run, "none was asked for"));
    assert!(!says(&run, "though the run listened for them"));
}

#[test]
fn runs_without_anything_in_them_have_reports() {
    let mut closed = sample_run();
    closed.setup.load = Load::closed(3);
    closed.seconds = 0.0;
    let mut second = sample_run();
    second.series = vec![Second::default()];
    for mut run in [sample_run(), closed, second] {
        for verdict in [None, Some(Verdict::judge(&run, &Thresholds::default()))] {
            run.verdict = verdict;
            let reports = Reports::on(&run);
            assert_self_contained(&reports.html());
            assert!(!reports.markdown().contains("NaN"));
            assert!(!reports.table().contains("NaN"));
            let xml = reports.junit();
            assert!(
                xml.contains("<error ") || xml.contains("<failure "),
                "it did not pass"
            );
        }
    }
}

#[test]
fn hour_is_drawn_with_no_more_points_than_anybody_sees() {
    let mut run = stalled();
    let minute = run.series.clone();
    run.series = (0..3600)
        .map(|at| Second {
            at,
            ..minute[usize::try_from(at % 40).unwrap()].clone()
        })
        .collect();
    run.seconds = 3600.0;
    let html = Reports::on(&run).html();
    assert!(html.contains("each point 15 seconds"));
    assert!(html.len() < 400_000, "{} bytes", html.len());
    assert_self_contained(&html);
}

#[test]
fn comment_is_harmless_and_says_it_all() {
    let text = Reports::on(&stalled()).markdown();
    assert!(text.starts_with("### ❌ Load test: fail\n"), "{text}");
    assert!(
        text.contains("| ❌ | e2e.p99 | &lt; 1000 ms | 1648.6 ms |"),
        "{text}"
    );
    assert!(text.contains("| api.50000 | 3 | &lt;script&gt;"), "{text}");
    assert!(!text.contains("@everyone") && !text.contains("<script"));
}

#[test]
fn test_cases_add_up() {
    let run = stalled();
    let xml = Reports::on(&run).junit();
    assert!(xml.contains("tests=\"4\" failures=\"2\" errors=\"0\""), "{xml}");
    assert_eq!(xml.matches("<testcase ").count(), 4);
    assert_eq!(xml.matches("<failure ").count(), 2);
    assert!(xml.contains("name=\"e2e.p99 &lt; 1000 ms\""));
}

#[test]
fn table_moves_no_cursor() {
    let mut run = stalled();
    let failure = Failure::new(FailureKind::Decode, "\u{1b}[2Jgone\r\n");
    let started = Instant::now();
    let span = Span {
        due: None,
        started,
        ended: started,
    };
    run.flows.record(&FlowRecord::new(
        Flow::SMS,
        FlowEnd::Failed(failure),
        span,
        Vec::new(),
    ));
    let table = Reports::on(&run).table();
    assert!(table.contains("[2Jgone"), "{table}");
    assert!(!table.contains('\u{1b}') && !table.contains('\r'));
    assert!(
        table.ends_with("verdict: fail\n         e2e.p99 is 1648.6 ms, not < 1000 ms\n"),
        "{table}"
    );
}

#[test]
fn users_who_are_nearly_all_busy_are_told() {
    let mut run = stalled();
    let told = |run: &RunFile| {
        let reports = Reports::on(run);
        let told = reports.table().contains(" were busy at once");
        assert_eq!(reports.html().contains(" were busy at once"), told);
        told
    };
    // 80 % of 64 users are 51.2.
    run.generator.in_flight_max = 51;
    assert!(!told(&run));
    run.generator.in_flight_max = 52;
    assert!(told(&run));
    assert!(Reports::on(&run).table().contains("users    52 of 64 were busy"));
    run.setup.load = Load::closed(64);
    assert!(!told(&run), "who waits for answers is always busy");
}

use std::time::Duration;

use super::*;
use crate::model::{
    Failure, FailureKind, FlowEnd, FlowRecord, Latency, Load, ScenarioName, Second, StepKind, StepName,
    StepTime,
};
use crate::runfile::sample_run;
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
        } else {
            run.warm_up.started += 1;
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
    let due = Duration::from_secs(1);
    let end = if failed {
        let hostile = "<script>alert(1)</script> | `x` @everyone & \"quoted\"";
        FlowEnd::Failed(Failure::new(FailureKind::Api(50000), hostile))
    } else {
        FlowEnd::Succeeded
    };
    let third = Duration::from_millis(took_ms / 3);
    let steps = [StepName::START, StepName::PHONE, StepName::REPORT]
        .map(|step| StepTime {
            step,
            took: third,
            kind: StepKind::Request,
            answered: true,
        })
        .to_vec();
    let scenario = match flow % 10 {
        0 => ScenarioName::new("callout").unwrap(),
        1 | 2 => ScenarioName::new("flashcall").unwrap(),
        _ => ScenarioName::new("sms").unwrap(),
    };
    let ended = due + Duration::from_millis(took_ms);
    run.flows.record(&FlowRecord {
        scenario,
        steps,
        ..FlowRecord::sample(due, due + Duration::from_micros(200), ended, end)
    });
    run.counters.scheduled += 1;
    run.counters.started += 1;
    run.counters.finished += 1;
    run.counters.failed += u64::from(failed);
}

/// No page may fetch or run anything, or show a number that is none.
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
        "<h1>sms: 50/s for 40 s, direct transport, against an emulator of its own</h1>",
        "<p>1 of 3 thresholds failed.</p>",
        "<li>e2e.p99 is 1648.6 ms, not &lt; 1000 ms</li>",
        "<dt>started</dt><dd>2026-11-24 06:00:00 UTC</dd>",
        "<dt>seed</dt><dd>7</dd>",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "all flows",
        "99.9 %",
        "warm-up",
    ] {
        assert!(html.contains(shown), "{shown}");
    }
    // The steps of single flows are folded.
    assert_eq!(html.matches("<details>").count(), 3);
    assert_eq!(html.matches("<details open>").count(), 1);
    // Nothing finished while the target stood still, so the lines of latency are broken there.
    let line = html.split("class=\"line c1\" d=\"").nth(1).unwrap();
    assert_eq!(line.split('"').next().unwrap().matches('M').count(), 2);
}

#[test]
fn page_says_why_no_callback_came() {
    let mut run = stalled();
    for second in &mut run.series {
        second.callbacks = 0;
    }
    let says = |run: &RunFile, text: &str| Reports::on(run).html().contains(text);
    assert!(says(&run, "though the run listened"));
    run.setup.callbacks = false;
    assert!(says(&run, "did not listen for callbacks"));
    assert!(!says(&run, "though the run listened"));
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
            assert!(!reports.text().contains("NaN"));
            let xml = reports.junit();
            assert!(
                xml.contains("<error ") || xml.contains("<failure "),
                "it did not pass"
            );
        }
    }
}

#[test]
fn hour_is_drawn_with_as_many_points_as_can_be_seen() {
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
fn comment_has_the_figures_and_escapes_text_from_outside() {
    let text = Reports::on(&stalled()).markdown();
    assert!(text.starts_with("### ❌ Load test: fail\n"), "{text}");
    assert!(
        text.contains("| e2e.p99 | &lt; 1000 ms | 1648.6 ms | ✗ failed |"),
        "{text}"
    );
    assert!(text.contains("| api.50000 | sms | 3 | &lt;script&gt;"), "{text}");
    assert!(
        text.contains("- flows: 2,000 started, 200 of them in the warm-up, which does not count"),
        "{text}"
    );
    assert!(!text.contains("@everyone") && !text.contains("<script"));
}

#[test]
fn test_cases_add_up() {
    let run = stalled();
    let xml = Reports::on(&run).junit();
    assert!(
        xml.contains("tests=\"4\" failures=\"2\" errors=\"0\" skipped=\"0\""),
        "{xml}"
    );
    assert_eq!(xml.matches("<testcase ").count(), 4);
    assert_eq!(xml.matches("<failure ").count(), 2);
    assert!(xml.contains("name=\"e2e.p99 &lt; 1000 ms\""));
}

#[test]
fn text_moves_no_cursor() {
    let mut run = stalled();
    let failure = Failure::new(FailureKind::Decode, "\u{1b}[2Jgone\r\n");
    let at = Duration::ZERO;
    run.flows
        .record(&FlowRecord::sample(at, at, at, FlowEnd::Failed(failure)));
    let table = Reports::on(&run).text();
    assert!(table.contains("[2Jgone"), "{table}");
    assert!(!table.contains('\u{1b}') && !table.contains('\r'));
    assert!(
        table.contains(
            "\nverdict: fail. 1 of 3 thresholds failed.\n  - e2e.p99 is 1648.6 ms, not < 1000 ms\n"
        ),
        "{table}"
    );
}

#[test]
fn busy_users_are_a_warning() {
    let mut run = stalled();
    let warns = |run: &RunFile| {
        let reports = Reports::on(run);
        let warns = reports.text().contains(" were busy at once");
        assert_eq!(reports.html().contains(" were busy at once"), warns);
        warns
    };
    // 80 % of 64 users are 51.2.
    run.generator.in_flight_max = 51;
    assert!(!warns(&run));
    run.generator.in_flight_max = 52;
    assert!(warns(&run));
    assert!(Reports::on(&run).text().contains("52 of 64 were busy"));
    run.setup.load = Load::closed(64);
    assert!(!warns(&run), "a user who waits for answers is always busy");
}

#[test]
fn every_report_says_how_many_flows_the_warm_up_had() {
    let says = |started, warm_up| {
        let mut run = sample_run();
        (run.counters.started, run.warm_up.started) = (started, warm_up);
        let reports = Reports::on(&run);
        let line = |text: &str| {
            let flows = text.lines().find(|line| line.contains(" started"));
            flows.unwrap_or_default().to_owned()
        };
        let text = line(&reports.text());
        let said = text.strip_prefix("flows").unwrap().trim().to_owned();
        assert_eq!(line(&reports.markdown()), format!("- flows: {said}"));
        assert!(reports.html().contains(&format!("<dd>{said}</dd>")));
        said
    };
    assert_eq!(
        says(5400, 600),
        "6,000 started, 600 of them in the warm-up, which does not count"
    );
    assert_eq!(
        says(0, 42),
        "42 started, all of them in the warm-up, which does not count"
    );
    assert_eq!(says(90, 0), "90 started");
}

#[test]
fn percentile_of_too_few_samples_is_a_dash() {
    let run = stalled();
    let text = Reports::on(&run).text();
    let row = |name: &str| {
        let row = text.lines().find(|line| line.trim_start().starts_with(name));
        row.unwrap()
            .split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    // 180 callouts have a p95, which needs 100, and no p99, which needs 500.
    let callout = row("callout ");
    assert_eq!(callout[1], "180");
    assert_eq!(
        callout.iter().position(|cell| cell == "–"),
        Some(5),
        "{callout:?}"
    );
    assert_eq!(row("e2e ").iter().filter(|cell| *cell == "–").count(), 1);
}

#[test]
fn report_of_a_threshold_that_is_not_judged_says_how_many_samples_it_needs() {
    let mut run = sample_run();
    (0..90).for_each(|flow| add(&mut run, flow, 8, false));
    let thresholds = "e2e.p99 = '< 1s'".parse().unwrap();
    run.verdict = Some(Verdict::judge(&run, &thresholds));
    let reports = Reports::on(&run);
    let says = "90 of 500 samples needed";
    for report in [reports.text(), reports.markdown(), reports.html()] {
        assert!(
            report.contains(&format!("e2e.p99 was not judged: {says}")),
            "{report}"
        );
    }
    let xml = reports.junit();
    assert!(
        xml.contains("tests=\"2\" failures=\"0\" errors=\"1\" skipped=\"1\""),
        "{xml}"
    );
    assert!(xml.contains(&format!("<skipped message=\"{says}\"/>")), "{xml}");
}

#[test]
fn sentences_name_what_passed_and_what_failed() {
    let mut run = stalled();
    let mut judged = |thresholds: &str| {
        run.verdict = Some(Verdict::judge(&run, &thresholds.parse().unwrap()));
        summary::judgement(&run).sentence
    };
    assert_eq!(judged("error-rate = '< 9%'"), "All thresholds passed.");
    assert_eq!(judged("error-rate = '< 0.1%'"), "1 of 1 thresholds failed.");
    assert_eq!(judged(""), "The run failed for these reasons:");
    run.flows = crate::model::Measurements::default();
    add(&mut run, 1, 8, false);
    run.verdict = Some(Verdict::judge(&run, &Thresholds::default()));
    assert_eq!(summary::judgement(&run).sentence, "No flow failed.");
}

//! The development key and secret: where they work with nothing set, and where they are refused.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

mod running;

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{Ipv6Addr, TcpListener};
use std::process::Stdio;

use running::{Ended, Served, answering, command, run, stderr, stdout};

#[test]
fn an_emulator_needs_nothing_to_be_set_also_after_a_restart() {
    for _ in 0..2 {
        let served = Served::start(&[]);
        let json = |args: &[&str]| -> serde_json::Value {
            let output = served.run_bare(args);
            assert_eq!(output.status.code(), Some(0), "{args:?}: {}", stderr(&output));
            serde_json::from_slice(&output.stdout).unwrap()
        };
        let started = json(&["start", "+46700000001", "--json"]);
        let id = started["id"].as_str().unwrap();
        let code = stdout(&served.run_bare(&["inbox", "wait", "+46700000001"]));
        let asked = json(&["status", "--id", id, "--json", "--auth", "basic"]);
        assert_eq!(asked["status"], "PENDING");
        let reported = json(&["report", "--id", id, "--code", &code, "--json"]);
        assert_eq!(reported["outcome"], "verified");
    }
}

#[test]
fn the_loopback_address_of_ipv6_is_this_machine() {
    if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
        eprintln!("not run: this machine has no IPv6");
        return;
    }
    let served = Served::start(&["--bind", "::1"]);
    assert!(served.url.starts_with("http://[::1]:"), "{}", served.url);
    let started = served.run_bare(&["start", "+46700000001"]);
    assert_eq!(started.status.code(), Some(0), "{}", stderr(&started));
}

#[test]
fn random_credentials_are_others_and_the_refusal_says_how_to_set_them() {
    let served = Served::start(&["--random-credentials"]);
    let refused = served.run_bare(&["start", "+46700000001"]);
    assert_eq!(refused.status.code(), Some(4), "{}", stderr(&refused));
    assert!(
        stderr(&refused).contains("set SINCH_APPLICATION_KEY"),
        "{}",
        stderr(&refused)
    );
}

#[test]
fn a_key_or_a_secret_alone_is_no_application() {
    for (variable, value) in [
        ("SINCH_APPLICATION_KEY", running::KEY),
        ("SINCH_APPLICATION_SECRET", running::SECRET),
    ] {
        for args in [
            &["serve", "--port", "0"][..],
            &["start", "+46700000001", "--url", "http://127.0.0.1:1"],
            &["listen", "--port", "0", "--url", "http://127.0.0.1:1"],
            &["trigger", "request", "--to", "http://127.0.0.1:1/"],
        ] {
            let output = command(args).env(variable, value).output().unwrap();
            assert_eq!(output.status.code(), Some(2), "{args:?}: {}", stderr(&output));
        }
    }
}

#[test]
fn no_other_host_gets_the_development_application() {
    for host in [
        "verification.api.sinch.com",
        "localhost.evil.com",
        "localhost.",
        "127.0.0.1.nip.io",
        "lvh.me",
        "0.0.0.0:9901",
        "[::ffff:127.0.0.1]:9901",
        "2130706433",
    ] {
        let url = format!("https://{host}");
        let to = format!("{url}/callback");
        for args in [
            &["start", "+46700000001", "--live", "--url", &url][..],
            &[
                "start",
                "+46700000001",
                "--live",
                "--auth",
                "public",
                "--url",
                &url,
            ],
            &["status", "--id", "1", "--live", "--url", &url],
            &["listen", "--port", "0", "--url", &url],
            &["trigger", "request", "--live", "--to", &to],
        ] {
            let output = run(args);
            assert_eq!(output.status.code(), Some(2), "{args:?}: {}", stderr(&output));
            let said = stderr(&output);
            assert!(
                said.contains("set SINCH_APPLICATION_KEY and SINCH_APPLICATION_SECRET"),
                "{args:?}: {said}"
            );
        }
    }
    for url in [
        "https://localhost@evil.com",
        "https://127.0.0.1:80@evil.com",
        "http://localhost#@evil.com",
    ] {
        let output = run(&["start", "+46700000001", "--live", "--url", url]);
        assert_eq!(output.status.code(), Some(2), "{url}: {}", stderr(&output));
        assert!(
            !stderr(&output).contains("SINCH_APPLICATION_KEY"),
            "{}",
            stderr(&output)
        );
    }
}

#[test]
fn a_redirect_is_not_followed() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let to = elsewhere.local_addr().unwrap();
    let answer = format!(
        "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://{to}/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    );
    let url = format!("http://{}", answering(answer));
    for args in [
        &["start", "+46700000001", "--url", &url][..],
        &["status", "--id", "1", "--url", &url],
        &["inbox", "--url", &url],
        &["trigger", "request", "--to", &url],
    ] {
        let output = run(args);
        assert_ne!(output.status.code(), Some(0), "{args:?}");
        let came = elsewhere.accept().map(drop).unwrap_err().kind();
        assert_eq!(came, std::io::ErrorKind::WouldBlock, "{args:?}");
    }
}

#[test]
fn listen_takes_the_development_key_only_while_the_emulator_posts_to_it() {
    let mut served = Served::start(&[]);
    let mut child = command(&["listen", "--port", "0", "--json"])
        .env("SINCH_VERIFICATION_URL", &served.url)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut heard = BufReader::new(child.stdout.take().unwrap()).lines();
    let listening = Ended(child);
    let greeting = said.next().unwrap().unwrap();
    let to = greeting.split(' ').nth(2).unwrap().to_owned();
    assert!(to.starts_with("http://127.0.0.1:"), "{greeting}");

    let started = served.run_bare(&["start", "+46700000001"]);
    assert_eq!(started.status.code(), Some(0), "{}", stderr(&started));
    let line = heard.next().unwrap().unwrap();
    assert!(line.contains("\"verified\":true"), "{line}");

    served.kill();
    let forged = run(&["trigger", "request", "--to", &to]);
    assert_eq!(forged.status.code(), Some(1), "{}", stdout(&forged));
    // Behind what the emulator posted.
    let mut lines = heard.map(Result::unwrap);
    let line = lines.find(|line| line.contains("\"verified\":false")).unwrap();
    assert!(line.contains("development key"), "{line}");
    drop(listening);
    let rest = said.map(Result::unwrap).collect::<Vec<_>>().join("\n");
    assert!(!rest.contains("panicked"), "{rest}");
}

#[test]
fn the_development_secret_is_no_part_of_what_a_client_sends_signed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let received = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut received = vec![0; 4096];
        let count = stream.read(&mut received).unwrap();
        String::from_utf8_lossy(&received[..count]).into_owned()
    });
    run(&["status", "--id", "1", "--url", &url]);
    let received = received.join().unwrap();
    assert!(
        received.contains("Application de7e1000-") && !received.contains("ZGV2ZWxvcG1lbnQ"),
        "{received}"
    );
}

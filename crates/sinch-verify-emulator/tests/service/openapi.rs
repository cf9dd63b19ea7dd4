//! The description of all paths as OpenAPI.

use bytes::Bytes;
use http::Request;
use serde_json::{Map, Value};
use sinch_verify_emulator::Emulator;

use crate::support::{emulator, get, json, send};

async fn paths(emulator: &Emulator) -> Map<String, Value> {
    let document = json(&get(emulator, "/_emu/openapi.json").await);
    assert_eq!(document["openapi"], "3.1.0");
    document["paths"].as_object().unwrap().clone()
}

/// A path with a value for each of its parameters.
fn filled(path: &str) -> String {
    let values = [
        ("{id}", "7"),
        ("{seq}", "7"),
        ("{key}", "unknown"),
        ("{number}", "+46700000001"),
        ("{endpoint}", "+46700000001"),
        ("{method}", "sms"),
        ("{reference}", "order-1"),
        ("{token}", "none"),
    ];
    let path = values
        .iter()
        .fold(path.to_owned(), |path, (name, value)| path.replace(name, value));
    assert!(!path.contains('{'), "{path}");
    path
}

async fn ask(emulator: &Emulator, verb: &str, path: &str, body: String) -> (u16, String) {
    let request = Request::builder()
        .method(verb)
        .uri(path)
        .body(Bytes::from(body))
        .unwrap();
    let answer = send(emulator, request).await;
    let text = String::from_utf8_lossy(answer.body()).into_owned();
    (answer.status().as_u16(), text)
}

#[tokio::test]
async fn every_described_path_exists_and_answers_as_described() {
    let emulator = emulator().await;
    let mut described = 0;
    for (path, verbs) in paths(&emulator).await {
        for (verb, operation) in verbs.as_object().unwrap() {
            // A stream that does not end.
            if path == "/_emu/events" {
                continue;
            }
            described += 1;
            let body = operation["requestBody"]["content"]["application/json"]["example"].clone();
            let body = if body.is_null() {
                String::new()
            } else {
                body.to_string()
            };
            let (status, text) = ask(
                &emulator,
                &verb.to_ascii_uppercase(),
                &filled(&path),
                body.clone(),
            )
            .await;
            assert!(
                operation["responses"].get(status.to_string()).is_some(),
                "{verb} {path}: {status}: {text}"
            );
            assert!(!text.contains("does not exist"), "{verb} {path}: {text}");
            if !body.is_empty() {
                assert!(!text.contains("must be JSON such as"), "{verb} {path}: {text}");
            }
        }
    }
    assert!(described > 40, "{described}");
}

#[tokio::test]
async fn the_described_parameters_of_a_query_are_those_that_are_taken() {
    let emulator = emulator().await;
    let mut compared = 0;
    for (path, verbs) in paths(&emulator).await {
        for (verb, operation) in verbs.as_object().unwrap() {
            let parameters = operation["parameters"].as_array().unwrap().iter();
            let names = parameters.filter(|parameter| parameter["in"] == "query");
            let names: Vec<&str> = names
                .map(|parameter| parameter["name"].as_str().unwrap())
                .collect();
            if names.is_empty() {
                continue;
            }
            compared += 1;
            let unknown = format!("{}?nonsense=1", filled(&path));
            let (status, text) = ask(&emulator, &verb.to_ascii_uppercase(), &unknown, String::new()).await;
            assert_eq!(status, 400, "{verb} {path}: {text}");
            let taken = format!("is not a parameter of this path; use {}\"", names.join(", "));
            assert!(text.contains(&taken), "{verb} {path}: {text}");
        }
    }
    assert!(compared > 8, "{compared}");
}

#[tokio::test]
async fn the_list_for_people_has_every_path() {
    let emulator = emulator().await;
    let list = get(&emulator, "/").await;
    let list = String::from_utf8_lossy(list.body()).into_owned();
    for (path, verbs) in paths(&emulator).await {
        for verb in verbs.as_object().unwrap().keys() {
            let line = list.lines().find(|line| {
                let mut words = line.split_whitespace();
                words.next() == Some(&verb.to_ascii_uppercase())
                    && words
                        .next()
                        .is_some_and(|own| own.split('?').next() == Some(&path))
            });
            assert!(line.is_some(), "{verb} {path} in {list}");
        }
    }
}

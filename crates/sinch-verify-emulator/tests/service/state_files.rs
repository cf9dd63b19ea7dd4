//! State files, which keep the state over a restart.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use sinch_verify_emulator::{Builder, Emulator, HandsetBehavior, Scope, SnapshotError, StartError};
use sinch_verify_protocol::callback::Decision;
use sinch_verify_protocol::{Start, Status, VerificationId};

use crate::support::{
    NUMBER, application, basic, builder, call, deciding, get, json, key, newest, noon, number, settled,
    status_by_id,
};

fn at(folder: &tempfile::TempDir) -> std::path::PathBuf {
    folder.path().join("state")
}

fn keeping(path: &Path) -> Builder {
    builder().state_file(path)
}

async fn start(emulator: &Emulator, number: &str) -> VerificationId {
    let start = Start::sms(number.parse().unwrap());
    call(emulator, &basic(), &start).await.unwrap().id.clone()
}

/// Why an emulator does not start with this file.
async fn refusal(path: &Path) -> String {
    match keeping(path).start().await.unwrap_err() {
        StartError::StateFile { path: named, source } => {
            assert_eq!(named, path);
            source.to_string()
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn everything_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = deciding(Decision::Allow).await;
    let first = keeping(&at(&folder)).start().await.unwrap();
    first.set_callback_url(&key(), receiver.url()).unwrap();
    first
        .set_handset_behavior(Scope::Everyone, HandsetBehavior::Wait)
        .unwrap();
    let id = start(&first, NUMBER).await;
    let (message, seed) = (newest(&first), first.seed());
    first.pause_clock();
    first.advance(Duration::from_secs(100));
    let now = first.now();
    first.shutdown().await;

    let second = keeping(&at(&folder)).seed(8).start().await.unwrap();
    assert_eq!((second.now(), second.seed()), (now, seed));
    assert_eq!(newest(&second), message);
    let behaviors = json(&get(&second, "/_emu/behaviors").await);
    assert_eq!(behaviors["behaviors"][0]["everyone"], true);
    assert_eq!(status_by_id(&second, &id).await.status, Status::Pending);
    second.advance(Duration::from_secs(201));
    settled(&second).await;
    assert!(receiver.results().iter().any(|result| result.id == id));
    second.shutdown().await;
}

#[tokio::test]
async fn a_state_is_saved_without_a_shutdown() {
    let folder = tempfile::tempdir().unwrap();
    let first = keeping(&at(&folder)).start().await.unwrap();
    let id = start(&first, NUMBER).await;
    let saved = |id: VerificationId| {
        let path = at(&folder);
        async move {
            fs::read_to_string(path)
                .unwrap()
                .contains(id.as_str())
                .then_some(())
        }
    };
    crate::support::eventually(async || saved(id.clone()).await).await;
    first.reset();
    let other = start(&first, "+46700000002").await;
    crate::support::eventually(async || saved(other.clone()).await).await;
    drop(first);
    let second = keeping(&at(&folder)).start().await.unwrap();
    assert_eq!(status_by_id(&second, &other).await.status, Status::Pending);
    assert!(second.inbox(&number()).is_empty(), "it was reset");
}

#[tokio::test]
async fn a_clock_that_runs_keeps_its_distance_to_the_wall_clock() {
    const HOUR: Duration = Duration::from_secs(3600);
    let folder = tempfile::tempdir().unwrap();
    let first = keeping(&at(&folder)).start().await.unwrap();
    let id = start(&first, NUMBER).await;
    first.advance(HOUR);
    first.shutdown().await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let second = keeping(&at(&folder)).start().await.unwrap();
    let wall = SystemTime::now();
    assert!(second.now().duration_since(wall).unwrap() >= HOUR);
    assert_eq!(status_by_id(&second, &id).await.status, Status::Fail);
    second.shutdown().await;
    // A clock that is set at the start takes precedence.
    let third = keeping(&at(&folder)).manual_clock(noon()).start().await.unwrap();
    assert_eq!(third.now(), noon());
}

#[tokio::test]
async fn a_callback_url_that_is_given_takes_precedence_over_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let url = |path: &str| format!("http://127.0.0.1:9/{path}").parse().unwrap();
    let with = |path| Emulator::builder().application(application().callback_url(url(path)));
    with("first")
        .state_file(at(&folder))
        .start()
        .await
        .unwrap()
        .shutdown()
        .await;
    for (builder, kept) in [(with("second"), "second"), (builder(), "second")] {
        let emulator = builder.state_file(at(&folder)).start().await.unwrap();
        let info = json(&get(&emulator, "/_emu/info").await);
        assert_eq!(
            info["applications"][0]["callbackUrl"],
            format!("http://127.0.0.1:9/{kept}")
        );
        emulator.shutdown().await;
    }
}

#[tokio::test]
async fn an_interrupted_save_at_the_end_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let first = keeping(&at(&folder)).start().await.unwrap();
    let id = start(&first, NUMBER).await;
    first.shutdown().await;
    let whole = fs::read(at(&folder)).unwrap();
    // The first batch has the empty state of the start, the second one the verification.
    let batch = |text: &[u8]| text.windows(8).filter(|bytes| *bytes == b"\n{\"crc32").count();
    assert_eq!(batch(&whole), 2);
    for length in [whole.len() - 1, whole.len() / 2] {
        fs::write(at(&folder), &whole[..length]).unwrap();
        let second = keeping(&at(&folder)).start().await.unwrap();
        assert!(second.inbox(&number()).is_empty(), "{length}");
        drop(second);
    }
    fs::write(at(&folder), &whole).unwrap();
    let third = keeping(&at(&folder)).start().await.unwrap();
    assert_eq!(status_by_id(&third, &id).await.status, Status::Pending);
}

#[tokio::test]
async fn a_file_that_is_no_state_is_refused_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    keeping(&at(&folder)).start().await.unwrap().shutdown().await;
    let whole = fs::read_to_string(at(&folder)).unwrap();
    for (text, part) in [
        ("notes\n".to_owned(), "no snapshot of the emulator"),
        (
            whole.replacen("\"version\":1", "\"version\":2", 1),
            "version 2 of the format",
        ),
        (
            whole.replacen("\"signed\"", "\"basic\"", 1),
            "lines 1 to 3 are not as the emulator wrote them",
        ),
        (
            whole[..whole.len() / 2].to_owned(),
            "the end of the snapshot is missing",
        ),
    ] {
        fs::write(at(&folder), &text).unwrap();
        let error = refusal(&at(&folder)).await;
        assert!(error.contains(part), "{error}");
        assert_eq!(fs::read_to_string(at(&folder)).unwrap(), text);
    }
    let missing = folder.path().join("missing").join("state");
    let error = keeping(&missing).start().await.unwrap_err();
    assert!(
        matches!(
            error,
            StartError::StateFile {
                source: SnapshotError::File(_),
                ..
            }
        ),
        "{error}"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn a_state_file_is_readable_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    // As `touch` leaves it.
    fs::write(at(&folder), "").unwrap();
    let emulator = keeping(&at(&folder)).start().await.unwrap();
    let mode = || fs::metadata(at(&folder)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(), 0o600);
    start(&emulator, NUMBER).await;
    emulator.shutdown().await;
    assert_eq!(mode(), 0o600);
    let names = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(names, 1, "nothing is left behind");
}

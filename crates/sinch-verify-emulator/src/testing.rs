//! One emulator for all tests of a process.
//!
//! The emulator runs in a thread of its own, because each test has a tokio runtime of its own, which ends
//! with the test.
//!
//! ```
//! use sinch_verify_emulator::testing;
//!
//! let application = testing::application()?;
//! // For the code under test:
//! let (url, key, secret) = (application.url(), application.key(), application.secret());
//! // ... let it start a verification of this phone ...
//! let phone = application.phone();
//! assert!(application.inbox(&phone).is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::future::pending;
use std::sync::{OnceLock, mpsc};
use std::thread;

use crate::builder::StartError;
use crate::emulator::Emulator;
use crate::test_application::TestApplication;

/// An application of the test's own, on the emulator that all tests of the process share. The first call
/// starts the emulator.
///
/// # Errors
///
/// The emulator did not start.
pub fn application() -> Result<TestApplication, &'static StartError> {
    emulator().map(Emulator::application)
}

/// The emulator that all tests of the process share. It has the default settings, a free port, and runs
/// until the process ends.
///
/// # Errors
///
/// The emulator did not start.
pub fn emulator() -> Result<&'static Emulator, &'static StartError> {
    static SHARED: OnceLock<Result<Emulator, StartError>> = OnceLock::new();
    SHARED.get_or_init(start).as_ref()
}

fn start() -> Result<Emulator, StartError> {
    let (started, emulator) = mpsc::channel();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(StartError::Runtime)?;
    let run = move || {
        runtime.block_on(async {
            // The receiver waits for this.
            let _ = started.send(Emulator::builder().start().await);
            pending::<()>().await;
        });
    };
    let thread = thread::Builder::new().name("sinch-verify-emulator".to_owned());
    thread.spawn(run).map_err(StartError::Runtime)?;
    emulator
        .recv()
        .map_err(|error| StartError::Runtime(std::io::Error::other(error)))?
}

//! The emulator, the application's server and its clients, on free ports.

use anyhow::Context as _;
use sinch_verify_callback::{CallbackBuilder, KeyRing};
use sinch_verify_client::Client;
use sinch_verify_emulator::{Application, Emulator, Message};
use sinch_verify_protocol::{ApplicationKey, ApplicationSecret, Credentials, PhoneNumber};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::backend::Backend;
use crate::tampers::Tampers;

/// The path of the application's callback.
const CALLBACK_PATH: &str = "/sinch/callback";

/// Everything a flow needs.
pub(crate) struct World {
    /// The service.
    pub emulator: Emulator,
    /// The application's server, which receives callbacks.
    pub backend: Backend,
    /// The backend's client: signs every request.
    pub signed: Client,
    /// The device's client: sends the key alone.
    pub public: Client,
    /// Where callbacks go.
    pub callback_url: String,
    server: JoinHandle<std::io::Result<()>>,
}

impl World {
    /// Starts it all.
    pub(crate) async fn start(seed: u64) -> anyhow::Result<Self> {
        let key = ApplicationKey::new("11111111-2222-3333-4444-555555555555")?;
        let secret = ApplicationSecret::new("BeIukql3pTKJ8RGL5zo0DA==")?;

        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .context("failed to open a port for callbacks")?;
        let callback_url = format!("http://{}{CALLBACK_PATH}", listener.local_addr()?);
        let backend = Backend::default();
        let service = CallbackBuilder::new(KeyRing::new(key.clone(), &secret))
            .handler(backend.clone())
            .results(backend.results())
            .build()?;
        let app = sinch_verify_callback::axum::router(CALLBACK_PATH, service);
        let server = tokio::spawn(async move { axum::serve(listener, app).await });

        let application = Application::new(key.clone(), secret.clone()).callback_url(callback_url.parse()?);
        let emulator = Emulator::builder()
            .application(application)
            .seed(seed)
            .tamper_kit(Tampers)
            .start()
            .await;
        let emulator = emulator.context("failed to start the emulator")?;
        let client = |credentials| {
            Client::builder()
                .credentials(credentials)
                .base_url(emulator.base_url())
                .build()
        };
        let signed = client(Credentials::signed(key.clone(), secret))?;
        let public = client(Credentials::public(key))?;
        Ok(Self {
            emulator,
            backend,
            signed,
            public,
            callback_url,
            server,
        })
    }

    /// What reached the handset of `number` last.
    pub(crate) fn last_message(&self, number: PhoneNumber) -> anyhow::Result<Message> {
        self.emulator
            .inbox(&number)
            .into_iter()
            .next()
            .context("nothing reached the handset")
    }

    /// Stops it all.
    pub(crate) async fn stop(self) {
        self.emulator.shutdown().await;
        self.server.abort();
    }
}

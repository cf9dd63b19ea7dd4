//! The applications, by key.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use bytes::Bytes;
use http::Request;
use sinch_verify_protocol::auth::{Signer, Verifier};
use sinch_verify_protocol::{ApplicationKey, ApplicationSecret, Credentials};

use crate::application::{Application, AuthorizationLevel, CallbackAuth, CallbackUrl};
use crate::control_error::ControlError;
use crate::engine::AppId;

/// The applications of an emulator. They do not change while it runs, except for their callbacks.
pub(crate) struct Registry {
    applications: Vec<Registered>,
    by_key: HashMap<Box<str>, AppId>,
    remote_callbacks: bool,
}

impl Registry {
    pub(super) fn new(applications: Vec<Application>, remote_callbacks: bool) -> Self {
        let keys = (0..).map(AppId).zip(&applications);
        let by_key = keys
            .map(|(app, application)| (application.key.as_str().into(), app))
            .collect();
        Self {
            applications: applications.into_iter().map(Registered::new).collect(),
            by_key,
            remote_callbacks,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.applications.len()
    }

    pub(crate) fn find(&self, key: &str) -> Option<AppId> {
        self.by_key.get(key).copied()
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (AppId, &Registered)> {
        (0..).map(AppId).zip(&self.applications)
    }

    pub(crate) fn get(&self, app: AppId) -> Option<&Registered> {
        self.applications.get(app.0 as usize)
    }

    pub(crate) fn callback(&self, app: AppId) -> Option<Arc<CallbackUrl>> {
        self.get(app)?.callback().url
    }

    pub(crate) fn set_callback_url(
        &self,
        key: &ApplicationKey,
        url: Option<CallbackUrl>,
    ) -> Result<(), ControlError> {
        let app = self.named(key)?;
        if !self.remote_callbacks && url.as_ref().is_some_and(|url| !url.is_loopback()) {
            return Err(ControlError::RemoteCallback);
        }
        app.change_callback(|callback| callback.url = url.map(Arc::new));
        Ok(())
    }

    pub(crate) fn set_callback_auth(
        &self,
        key: &ApplicationKey,
        auth: CallbackAuth,
    ) -> Result<(), ControlError> {
        self.named(key)?.change_callback(|callback| callback.auth = auth);
        Ok(())
    }

    fn named(&self, key: &ApplicationKey) -> Result<&Registered, ControlError> {
        let app = self.find(key.as_str()).and_then(|app| self.get(app));
        app.ok_or_else(|| ControlError::UnknownApplication(key.clone()))
    }

    /// `text` with every secret of every application hidden.
    pub(crate) fn without_secrets(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in self.applications.iter().flat_map(Registered::secrets) {
            let secret = secret.expose_text();
            if !secret.is_empty() && text.contains(secret) {
                text = text.replace(secret, "[hidden]");
            }
        }
        text
    }
}

/// Puts key and secret into the `Authorization` header.
pub(crate) fn authorize_basic(
    request: &mut Request<Bytes>,
    key: &ApplicationKey,
    secret: &ApplicationSecret,
) {
    let credentials = Credentials::basic(key.clone(), secret.clone());
    #[expect(clippy::expect_used, reason = "base64 is always a header value")]
    credentials
        // The time does not count: nothing is signed.
        .authorize(request, SystemTime::UNIX_EPOCH)
        .expect("key and secret in base64 make a header value");
}

/// An application with its signer and its verifiers.
pub(crate) struct Registered {
    pub(crate) secret: ApplicationSecret,
    older: Vec<ApplicationSecret>,
    pub(crate) minimum: AuthorizationLevel,
    /// One for each secret, in the same order.
    pub(crate) verifiers: Vec<Verifier>,
    pub(crate) signer: Signer,
    callback: RwLock<Callback>,
}

/// Where the events of an application are posted, and how they are authorized.
#[derive(Clone)]
struct Callback {
    url: Option<Arc<CallbackUrl>>,
    auth: CallbackAuth,
}

impl Registered {
    fn new(application: Application) -> Self {
        let secrets = [&application.secret].into_iter().chain(&application.older);
        Self {
            verifiers: secrets
                .map(|secret| Verifier::new(application.key.clone(), secret))
                .collect(),
            signer: Signer::new(application.key, &application.secret),
            secret: application.secret,
            older: application.older,
            minimum: application.minimum,
            callback: RwLock::new(Callback {
                url: application.callback.map(Arc::new),
                auth: application.callback_auth,
            }),
        }
    }

    fn callback(&self) -> Callback {
        self.callback
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn change_callback(&self, change: impl FnOnce(&mut Callback)) {
        change(&mut self.callback.write().unwrap_or_else(PoisonError::into_inner));
    }

    pub(crate) fn callback_auth(&self) -> CallbackAuth {
        self.callback().auth
    }

    /// Authorizes a callback of the application as it stands.
    pub(crate) fn authorize_callback(&self, request: &mut Request<Bytes>, now: SystemTime) {
        match self.callback_auth() {
            CallbackAuth::Signed => self.signer.sign_callback(request, now),
            CallbackAuth::Basic => authorize_basic(request, self.signer.key(), &self.secret),
        }
    }

    /// All accepted secrets.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &ApplicationSecret> {
        [&self.secret].into_iter().chain(&self.older)
    }
}

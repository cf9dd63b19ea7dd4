//! The applications, by key.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::SystemTime;

use bytes::Bytes;
use http::Request;
use sinch_verify_protocol::auth::{Signer, Verifier};
use sinch_verify_protocol::{ApplicationKey, ApplicationSecret, Credentials};

use crate::application::{Application, AuthorizationLevel, CallbackAuth, CallbackUrl};
use crate::control_error::ControlError;
use crate::engine::AppId;

/// The applications of an emulator. Applications are added, and their callbacks change; none is removed.
pub(crate) struct Registry {
    applications: RwLock<Applications>,
    remote_callbacks: bool,
}

#[derive(Default)]
struct Applications {
    all: Vec<Arc<Registered>>,
    by_key: HashMap<Box<str>, AppId>,
}

impl Registry {
    pub(crate) fn new(remote_callbacks: bool) -> Self {
        Self {
            applications: RwLock::default(),
            remote_callbacks,
        }
    }

    /// Adds an application.
    ///
    /// # Errors
    ///
    /// [`ControlError::RepeatedKey`], [`ControlError::RemoteCallback`].
    pub(crate) fn add(&self, application: Application) -> Result<AppId, ControlError> {
        self.check_callback(application.callback.as_ref())?;
        let mut applications = self.applications.write().unwrap_or_else(PoisonError::into_inner);
        if applications.by_key.contains_key(application.key.as_str()) {
            return Err(ControlError::RepeatedKey(application.key));
        }
        Ok(applications.add(application))
    }

    /// Adds saved applications. Those that are here already keep their secrets and get the saved callback.
    /// Returns their ids, in order.
    pub(crate) fn restore(&self, saved: Vec<Application>) -> Result<Vec<AppId>, ControlError> {
        for application in &saved {
            self.check_callback(application.callback.as_ref())?;
        }
        let mut applications = self.applications.write().unwrap_or_else(PoisonError::into_inner);
        let ids = saved.into_iter().map(|application| {
            let Some(id) = applications.by_key.get(application.key.as_str()).copied() else {
                return applications.add(application);
            };
            if let Some(own) = applications.all.get(id.0 as usize) {
                own.change_callback(|callback| *callback = Callback::of(&application));
            }
            id
        });
        Ok(ids.collect())
    }

    pub(crate) fn find(&self, key: &str) -> Option<AppId> {
        self.read().by_key.get(key).copied()
    }

    pub(crate) fn all(&self) -> Vec<Arc<Registered>> {
        self.read().all.clone()
    }

    pub(crate) fn get(&self, app: AppId) -> Option<Arc<Registered>> {
        self.read().all.get(app.0 as usize).cloned()
    }

    pub(crate) fn key_of(&self, app: AppId) -> Option<String> {
        Some(self.get(app)?.signer.key().as_str().to_owned())
    }

    pub(crate) fn callback(&self, app: AppId) -> Option<Arc<CallbackUrl>> {
        self.get(app)?.callback_url()
    }

    pub(super) fn set_callback_url(
        &self,
        key: &ApplicationKey,
        url: Option<CallbackUrl>,
    ) -> Result<(), ControlError> {
        let own = self.named(key)?;
        self.check_callback(url.as_ref())?;
        own.change_callback(|callback| callback.url = url.map(Arc::new));
        Ok(())
    }

    pub(super) fn set_callback_auth(
        &self,
        key: &ApplicationKey,
        auth: CallbackAuth,
    ) -> Result<(), ControlError> {
        self.named(key)?.change_callback(|callback| callback.auth = auth);
        Ok(())
    }

    fn check_callback(&self, url: Option<&CallbackUrl>) -> Result<(), ControlError> {
        if !self.remote_callbacks && url.is_some_and(|url| !url.is_loopback()) {
            return Err(ControlError::RemoteCallback);
        }
        Ok(())
    }

    fn named(&self, key: &ApplicationKey) -> Result<Arc<Registered>, ControlError> {
        let own = self.find(key.as_str()).and_then(|app| self.get(app));
        own.ok_or_else(|| ControlError::UnknownApplication(key.clone()))
    }

    /// `text` with every secret of every application hidden.
    pub(crate) fn without_secrets(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for own in &self.read().all {
            for secret in own.secrets() {
                let secret = secret.expose_text();
                if !secret.is_empty() && text.contains(secret) {
                    text = text.replace(secret, "[hidden]");
                }
            }
        }
        text
    }

    fn read(&self) -> RwLockReadGuard<'_, Applications> {
        // An update cannot panic halfway, so the state is valid.
        self.applications.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Applications {
    fn add(&mut self, application: Application) -> AppId {
        let id = AppId(u32::try_from(self.all.len()).unwrap_or(u32::MAX));
        self.by_key.insert(application.key.as_str().into(), id);
        self.all.push(Arc::new(Registered::new(application)));
        id
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

impl Callback {
    fn of(application: &Application) -> Self {
        Self {
            url: application.callback.clone().map(Arc::new),
            auth: application.callback_auth,
        }
    }
}

impl Registered {
    fn new(application: Application) -> Self {
        let secrets = [&application.secret].into_iter().chain(&application.older);
        Self {
            callback: RwLock::new(Callback::of(&application)),
            verifiers: secrets
                .map(|secret| Verifier::new(application.key.clone(), secret))
                .collect(),
            signer: Signer::new(application.key, &application.secret),
            secret: application.secret,
            older: application.older,
            minimum: application.minimum,
        }
    }

    /// The application as it stands.
    pub(crate) fn application(&self) -> Application {
        let Callback { url, auth } = self.callback();
        Application {
            key: self.signer.key().clone(),
            secret: self.secret.clone(),
            older: self.older.clone(),
            minimum: self.minimum,
            callback: url.as_deref().cloned(),
            callback_auth: auth,
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

    pub(crate) fn callback_url(&self) -> Option<Arc<CallbackUrl>> {
        self.callback().url
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

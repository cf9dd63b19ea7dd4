//! Drives a browser for these tests.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::not_run;
use crate::webdriver::Driver;

/// The longest wait for a condition, on a busy machine.
const PATIENCE_MS: u64 = 20_000;

/// Returns whether a control can be clicked, and records whether the next click lands on it.
const WATCH: &str = "const [control] = arguments;
    window.landed = false;
    const note = (event) => { window.landed = event.composedPath().includes(control); };
    document.addEventListener('click', note, { capture: true, once: true });
    return !control.disabled";

/// A browser with one window, ended when dropped.
pub(crate) struct Browser(Driver);

impl Browser {
    /// Starts a headless browser. If none is installed, reports that and returns `None`; on CI it fails.
    pub(crate) async fn start() -> Option<Self> {
        match Driver::start().await {
            Ok(driver) => {
                let browser = Self(driver);
                browser.size(1280, 860).await;
                Some(browser)
            }
            Err(error) => {
                not_run::report(&format!(
                    "no browser: {error}; install Debian's chromium and chromium-driver, \
                     or any Chromium with its chromedriver on PATH"
                ));
                None
            }
        }
    }

    /// Opens an address.
    pub(crate) async fn open(&self, url: &str) {
        self.0.command("/url", json!({ "url": url })).await;
    }

    /// Sets the size of the page, in CSS pixels.
    pub(crate) async fn size(&self, width: u32, height: u32) {
        let parameters = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.developer("Emulation.setDeviceMetricsOverride", parameters)
            .await;
    }

    /// Sets the colour preference of the system: `light` or `dark`.
    pub(crate) async fn prefers(&self, scheme: &str) {
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}, {"name": "prefers-reduced-motion", "value": "reduce"}]);
        self.developer("Emulation.setEmulatedMedia", json!({ "features": features }))
            .await;
    }

    async fn developer(&self, command: &str, parameters: Value) -> Value {
        self.0
            .command("/goog/cdp/execute", json!({"cmd": command, "params": parameters}))
            .await
    }

    /// Runs a script in the page, and waits for its promise.
    pub(crate) async fn run(&self, script: &str) -> Value {
        self.0
            .command("/execute/sync", json!({"script": script, "args": []}))
            .await
    }

    /// Waits until the expression is true in the page. Returns its value.
    pub(crate) async fn wait(&self, expression: &str) -> Value {
        let script = format!(
            "const end = performance.now() + {PATIENCE_MS};
             return new Promise((resolve) => (function look() {{
                 let value;
                 try {{ value = {expression}; }} catch {{ /* not there yet */ }}
                 if (value) resolve(value);
                 else if (performance.now() > end) resolve(null);
                 else setTimeout(look, 15);
             }})());"
        );
        let value = self.run(&script).await;
        if value.is_null() {
            let text = self.run("return document.body.innerText").await;
            panic!(
                "never true: {expression}\nthe page says:\n{}",
                text.as_str().unwrap_or_default()
            );
        }
        value
    }

    /// Waits until the text is on the page.
    pub(crate) async fn sees(&self, text: &str) {
        self.wait(&format!("document.body.innerText.includes({})", json!(text)))
            .await;
    }

    /// Clicks the element of the selector, as soon as it can be clicked.
    pub(crate) async fn click(&self, selector: &str) {
        self.click_where("css selector", selector).await;
    }

    /// Clicks the button or link with this text.
    pub(crate) async fn press(&self, label: &str) {
        let path = format!("//*[self::button or self::a][normalize-space()='{label}']");
        self.click_where("xpath", &path).await;
    }

    async fn click_where(&self, using: &str, what: &str) {
        // The page redraws, so the element may have been replaced.
        let end = Instant::now() + Duration::from_millis(PATIENCE_MS);
        loop {
            let Err(error) = self.try_click(using, what).await else {
                return;
            };
            assert!(Instant::now() < end, "{what}: {error}");
            // Waits for the next frame of the page.
            self.run("return new Promise(requestAnimationFrame)").await;
        }
    }

    async fn try_click(&self, using: &str, what: &str) -> Result<(), String> {
        let found = self
            .0
            .ask("/element", json!({"using": using, "value": what}))
            .await?;
        // An object with one member, whose name is a constant of WebDriver.
        let id = found.as_object().unwrap().values().next().unwrap();
        // A click on a disabled control succeeds without effect, as does a click beside a control that
        // moves.
        let ready = json!({"script": WATCH, "args": [found]});
        if self.0.ask("/execute/sync", ready).await? != true {
            return Err("it is disabled".to_owned());
        }
        let click = format!("/element/{}/click", id.as_str().unwrap());
        self.0.ask(&click, json!({})).await?;
        match self.run("return window.landed").await == true {
            true => Ok(()),
            false => Err("the click landed elsewhere".to_owned()),
        }
    }

    /// Chooses the option with this value, as soon as it exists.
    pub(crate) async fn choose(&self, selector: &str, value: &str) {
        let control = format!("document.querySelector({})", json!(selector));
        let value = json!(value);
        self.wait(&format!(
            "[...{control}.options].some((one) => one.value === {value})"
        ))
        .await;
        self.run(&format!(
            "{control}.value = {value};
             {control}.dispatchEvent(new Event('input', {{ bubbles: true }}))"
        ))
        .await;
    }

    /// Types on the keyboard, at the focus. See [`key`].
    pub(crate) async fn keys(&self, text: &str) {
        let strokes: Vec<Value> = text
            .chars()
            .flat_map(|key| ["keyDown", "keyUp"].map(|kind| json!({"type": kind, "value": key.to_string()})))
            .collect();
        let keyboard = json!({"actions": [{"type": "key", "id": "keyboard", "actions": strokes}]});
        self.0.command("/actions", keyboard).await;
    }

    /// Saves a picture of the window as `NAME.webp` in the folder `SINCH_VERIFY_PICTURES`, if set.
    pub(crate) async fn keep(&self, name: &str) {
        if let Some(folder) = std::env::var_os("SINCH_VERIFY_PICTURES") {
            let format = json!({"format": "webp", "quality": 85});
            let answer = self.developer("Page.captureScreenshot", format).await;
            let picture = STANDARD.decode(answer["data"].as_str().unwrap()).unwrap();
            std::fs::write(
                std::path::Path::new(&folder).join(name).with_extension("webp"),
                picture,
            )
            .unwrap();
        }
    }

    /// The errors that the browser logged: refused scripts, failed requests, exceptions.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let log = self.0.command("/se/log", json!({"type": "browser"})).await;
        let entries = log.as_array().unwrap().iter();
        entries
            .map(|entry| entry["message"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// Keys without a letter.
pub(crate) mod key {
    pub(crate) const ENTER: &str = "\u{E007}";
    pub(crate) const ESCAPE: &str = "\u{E00C}";
    pub(crate) const DOWN: &str = "\u{E015}";
    pub(crate) const TAB: &str = "\u{E004}";
}

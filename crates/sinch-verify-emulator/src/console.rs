//! The page for browsers: shows the data of the control interface.
//!
//! It consists of plain modules, styles and one document, all compiled in. It uses only the control
//! interface and the API, as a script does.

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use axum::routing::get;
use http::HeaderMap;
use http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, REFERRER_POLICY,
    VARY, X_CONTENT_TYPE_OPTIONS,
};

/// The page may load scripts, styles and data only from this server. The text of an SMS can be hostile:
/// if a script got into the page, it could not run or send data elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
     img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'; trusted-types 'none'";

/// One file of the page.
struct Asset {
    path: &'static str,
    kind: &'static str,
    text: &'static str,
}

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

macro_rules! asset {
    ($kind:expr, $name:literal) => {
        Asset {
            path: concat!("/_page/", $name),
            kind: $kind,
            text: include_str!(concat!("console/assets/", $name)),
        }
    };
}

const PAGE: Asset = asset!(HTML, "index.html");

/// The files that the document loads.
const ASSETS: &[Asset] = &[
    asset!(JS, "api.js"),
    asset!(JS, "app.js"),
    asset!(JS, "applications.js"),
    asset!(JS, "calls.js"),
    asset!(JS, "list_view.js"),
    asset!(JS, "clock.js"),
    asset!(CSS, "css/base.css"),
    asset!(CSS, "css/frame.css"),
    asset!(CSS, "css/widgets.css"),
    asset!(CSS, "css/phone.css"),
    asset!(JS, "device.js"),
    asset!(JS, "dom.js"),
    asset!(JS, "feed.js"),
    asset!(SVG, "icon.svg"),
    asset!(JS, "keyboard.js"),
    asset!(JS, "methods.js"),
    asset!(JS, "reset.js"),
    asset!(JS, "snippets.js"),
    asset!(JS, "widgets.js"),
    asset!(JS, "unread.js"),
    asset!(JS, "theme.js"),
    asset!(JS, "views/call.js"),
    asset!(JS, "views/callbacks.js"),
    asset!(JS, "views/conformance.js"),
    asset!(JS, "views/faults.js"),
    asset!(JS, "views/numbers.js"),
    asset!(JS, "views/phone.js"),
    asset!(JS, "views/phones.js"),
    asset!(JS, "views/handset_behavior.js"),
    asset!(JS, "views/reference.js"),
    asset!(JS, "views/requests.js"),
    asset!(JS, "views/first_steps.js"),
    asset!(JS, "views/try.js"),
    asset!(JS, "views/verifications.js"),
];

/// Whether the client accepts HTML, as browsers do.
pub(crate) fn is_wanted(headers: &HeaderMap) -> bool {
    let accepts = headers.get_all(ACCEPT).iter();
    accepts
        .filter_map(|accept| accept.to_str().ok())
        .any(|accept| accept.contains("text/html"))
}

/// The document.
pub(crate) fn page() -> Response {
    PAGE.answer()
}

/// The routes of all other files of the page.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    ASSETS.iter().fold(Router::new(), |router, asset| {
        router.route(asset.path, get(|| async { asset.answer() }))
    })
}

impl Asset {
    fn answer(&self) -> Response {
        let mut response = Response::new(Body::from(self.text));
        let headers: [(HeaderName, &'static str); 5] = [
            (CONTENT_TYPE, self.kind),
            (CONTENT_SECURITY_POLICY, POLICY),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (REFERRER_POLICY, "no-referrer"),
            // Not cached: a newer emulator must not run with modules of an older one.
            (CACHE_CONTROL, "no-store"),
        ];
        for (name, value) in headers {
            response
                .headers_mut()
                .insert(name, HeaderValue::from_static(value));
        }
        // At `/` the answer depends on `Accept`.
        response
            .headers_mut()
            .insert(VARY, HeaderValue::from_static("accept"));
        response
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::iter;
    use std::path::Path;

    use super::*;

    fn all() -> impl Iterator<Item = &'static Asset> {
        iter::once(&PAGE).chain(ASSETS)
    }

    #[test]
    fn the_page_is_small() {
        let weight: usize = all().map(|asset| asset.text.len()).sum();
        assert!(weight < 150_000, "{weight} bytes");
    }

    #[test]
    fn every_file_is_served() {
        fn walk(folder: &Path, found: &mut Vec<String>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, found);
                } else {
                    found.push(path.to_str().unwrap().to_owned());
                }
            }
        }
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/src/console/assets/");
        let mut files = Vec::new();
        walk(Path::new(root), &mut files);
        let mut files: Vec<_> = files.iter().map(|file| file.replace(root, "/_page/")).collect();
        files.sort();
        let mut served: Vec<_> = all().map(|asset| asset.path.to_owned()).collect();
        served.sort();
        assert_eq!(files, served);
    }

    #[test]
    fn nothing_comes_from_elsewhere() {
        for asset in all() {
            // The namespace of SVG is not loaded.
            let text = asset.text.replace("http://www.w3.org/2000/svg", "");
            for (at, _) in text.match_indices("//") {
                let host = text[at + 2..].split(['/', '"', '\'', '`', ' ', '\n']).next();
                assert!(!text[..at].ends_with(':'), "{}: {host:?}", asset.path);
            }
            let loads = asset.kind == CSS && (text.contains("@import") || text.contains("url("));
            assert!(!loads, "{}", asset.path);
        }
    }

    /// Text from outside is shown as text: no function of the page turns text into markup or code.
    #[test]
    fn no_text_becomes_markup() {
        for asset in all() {
            for way in [
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "createContextualFragment",
                "DOMParser",
                "setHTML",
                "srcdoc",
                "eval(",
                "new Function",
                "javascript:",
            ] {
                assert!(!asset.text.contains(way), "{}: {way}", asset.path);
            }
        }
        // The policy allows no inline scripts or styles.
        assert!(!PAGE.text.contains("style=") && !PAGE.text.contains("<style"));
        assert!(!PAGE.text.contains(" on") && PAGE.text.matches("<script").count() == 1);
    }
}

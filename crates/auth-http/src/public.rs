//! What needs no session, where everything else does.

use std::collections::{HashMap, HashSet};

use http::Method;
use http::request::Parts;

/// What an application answers without a session, where everything else needs one: nothing, until it is named.
///
/// Names routes by method and path, the path as the application's router has it. So a forgotten name shows as 401 at the
/// first try, a misspelt one likewise, and another method at a public path stays closed.
#[derive(Debug, Clone, Default)]
pub struct Public {
    paths: HashSet<String>,
    routes: HashMap<String, Vec<Method>>,
    folders: Vec<String>,
}

impl Public {
    /// Names a route. `HEAD` goes wherever `GET` goes.
    ///
    /// # Panics
    /// Where `path` doesn't begin with a slash.
    pub fn add(&mut self, method: Method, path: impl Into<String>) {
        let path = path.into();
        assert!(path.starts_with('/'), "paths begin with a slash, unlike {path:?}");
        self.routes.entry(path).or_default().push(method);
    }

    /// Names a path, whatever the method: one whose operations ask for themselves.
    pub fn add_path(&mut self, path: impl Into<String>) {
        self.paths.insert(path.into());
    }

    /// Names `folder` and everything below it.
    ///
    /// # Panics
    /// Where `folder` isn't a path like `/assets`.
    pub fn add_below(&mut self, folder: impl Into<String>) {
        let folder = folder.into();
        let is_folder =
            folder.len() > 1 && folder.starts_with('/') && !folder.ends_with('/') && !folder.contains(['{', '<']);
        assert!(is_folder, "no path like /assets: {folder:?}");
        self.folders.push(folder);
    }

    /// Whether a route is named, by the path that the router has for it.
    pub fn has_route(&self, method: &Method, path: &str) -> bool {
        let method = if method == Method::HEAD { &Method::GET } else { method };
        self.paths.contains(path) || self.routes.get(path).is_some_and(|methods| methods.contains(method))
    }

    /// Whether a request's path, as it was sent, is below a folder that is named.
    pub fn has_below(&self, path: &str) -> bool {
        let is_below = |folder: &String| {
            path.strip_prefix(folder.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.folders.iter().any(is_below)
    }

    /// The same, of a request that the router matched to the path `matched`, if to any.
    pub fn has(&self, head: &Parts, matched: Option<&str>, sent: &str) -> bool {
        matched.is_some_and(|path| self.has_route(&head.method, path)) || self.has_below(sent)
    }
}

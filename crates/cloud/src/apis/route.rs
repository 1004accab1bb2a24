//! Which route a request takes: the one with the most literal parts; `ANY` and `$default` come last.

use std::collections::BTreeMap;

use sam::Route;

/// A route, with what its path's parameters stand for.
pub(super) struct Matched<'a> {
    pub(super) route: &'a Route,
    pub(super) path_parameters: BTreeMap<String, String>,
}

pub(super) fn find<'a>(routes: &'a [Route], method: &str, path: &str) -> Option<Matched<'a>> {
    let candidates =
        routes.iter().filter(|route| route.method == method || route.method == "ANY").filter_map(|route| {
            let path_parameters = parameters(&route.path, path)?;
            Some((rank(route), Matched { route, path_parameters }))
        });
    candidates.min_by_key(|(rank, _)| *rank).map(|(_, matched)| matched)
}

/// Lower is better: `$default` last, then greedy paths, then those with more parameters, then `ANY`.
fn rank(route: &Route) -> (bool, bool, usize, bool) {
    let parameters = route.path.matches('{').count();
    (route.path == "$default", route.path.contains("+}"), parameters, route.method == "ANY")
}

fn parameters(pattern: &str, path: &str) -> Option<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    if pattern == "$default" {
        return Some(found);
    }
    let mut parts = path.trim_matches('/').split('/');
    for wanted in pattern.trim_matches('/').split('/') {
        let name = wanted.strip_prefix('{').and_then(|name| name.strip_suffix('}'));
        match name {
            Some(greedy) if greedy.ends_with('+') => {
                let rest: Vec<_> = parts.by_ref().collect();
                if rest.iter().all(|part| part.is_empty()) {
                    return None;
                }
                found.insert(greedy.trim_end_matches('+').to_owned(), decode(&rest.join("/")));
            }
            Some(name) => {
                let part = parts.next().filter(|part| !part.is_empty())?;
                found.insert(name.to_owned(), decode(part));
            }
            None if parts.next()? == wanted => {}
            None => return None,
        }
    }
    parts.next().is_none().then_some(found)
}

fn decode(part: &str) -> String {
    percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use sam::{Integration, PayloadFormat};

    use super::*;

    fn routes() -> Vec<Route> {
        let route = |method: &str, path: &str| Route {
            method: method.into(),
            path: path.into(),
            integration: Integration::Function { name: format!("{method} {path}"), payload: PayloadFormat::V2 },
        };
        vec![
            route("ANY", "$default"),
            route("GET", "/cases/{id}"),
            route("GET", "/cases/new"),
            route("ANY", "/cases/{id}"),
            route("GET", "/files/{path+}"),
            route("POST", "/executions"),
        ]
    }

    #[test]
    fn the_most_precise_route_is_taken() {
        for (method, path, expected) in [
            ("GET", "/cases/7", "GET /cases/{id}"),
            ("GET", "/cases/new", "GET /cases/new"),
            ("PUT", "/cases/new", "ANY /cases/{id}"),
            ("GET", "/files/a/b.txt", "GET /files/{path+}"),
            ("POST", "/executions", "POST /executions"),
            ("GET", "/executions", "ANY $default"),
            ("GET", "/cases/7/more", "ANY $default"),
        ] {
            let routes = routes();
            let found = find(&routes, method, path).unwrap().route;
            assert_eq!(format!("{} {}", found.method, found.path), expected, "{method} {path}");
        }
    }

    #[test]
    fn parameters_are_decoded() {
        let routes = routes();
        let matched = find(&routes, "GET", "/files/a%20b/c").unwrap();
        assert_eq!(matched.path_parameters["path"], "a b/c");
    }
}

//! `Globals`: SAM's defaults for the properties of a resource type.

use crate::yaml::{Data, Field, Map, Node};

/// The resource types that can have a section of `Globals`, without their `AWS::Serverless::`.
pub(crate) const SECTIONS: [&str; 10] = [
    "Api",
    "CapacityProvider",
    "Function",
    "HttpApi",
    "LayerVersion",
    "MicroVMImage",
    "NetworkConnector",
    "SimpleTable",
    "StateMachine",
    "WebSocketApi",
];

/// The properties of a resource with the template's defaults under them. `ignored` is the resource's `IgnoreGlobals`: `*`
/// or a list of properties.
pub(crate) fn apply(globals: &Map, kind: &str, own: Map, ignored: Option<&Node>) -> Map {
    let section = kind.strip_prefix("AWS::Serverless::").and_then(|name| globals.get(name));
    let Some(mut defaults) = section.and_then(|field| field.value.as_map().cloned()) else {
        return own;
    };
    let names = ignored.and_then(Node::as_list).unwrap_or_default();
    defaults.retain(|name, _| !names.iter().any(|ignored| ignored.as_text() == Some(name)));
    if ignored.and_then(Node::as_text) == Some("*") {
        return own;
    }
    merge_maps(&defaults, own)
}

fn merge_maps(defaults: &Map, own: Map) -> Map {
    let mut merged = defaults.clone();
    for (name, field) in own {
        let value = match merged.get(&name) {
            Some(default) => merge(&default.value, field.value),
            None => field.value,
        };
        merged.insert(name, Field { key: field.key, value });
    }
    merged
}

/// As SAM merges: maps key by key, lists one after the other, and of anything else the resource's own value counts.
fn merge(default: &Node, own: Node) -> Node {
    if is_function(default) || is_function(&own) {
        return own;
    }
    let at = own.at;
    let data = match (&default.data, own.data) {
        (Data::Map(default), Data::Map(own)) => Data::Map(merge_maps(default, own)),
        (Data::List(default), Data::List(own)) => Data::List(default.iter().cloned().chain(own).collect()),
        (_, own) => own,
    };
    Node { at, data }
}

/// An intrinsic function is one value, though it is written as a map.
fn is_function(node: &Node) -> bool {
    node.as_map().is_some_and(|map| map.len() == 1 && map.keys().all(|key| key == "Ref" || key.starts_with("Fn::")))
}

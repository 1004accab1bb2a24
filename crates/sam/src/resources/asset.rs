//! What the CDK has put beside the template that it writes: the files of a resource whose property names a place in a bucket.
//!
//! Source: the AWS CDK's design document "Code asset metadata". `aws:asset:is-bundled` makes no difference: what is at the path
//! is what is deployed, built by the CDK or not.

use std::path::PathBuf;

use crate::{template::Template, yaml::Node};

/// What is at the path of an asset.
pub(crate) enum Asset {
    Folder(PathBuf),
    /// A file: an archive that is deployed as it is.
    File(PathBuf),
    Missing(PathBuf),
}

/// The asset that the metadata of a resource has for a property: a path, from the folder of the template on.
pub(crate) fn of(template: &Template, metadata: Option<&Node>, property: &str) -> Option<Asset> {
    let text = |name| metadata?.get(name)?.as_text();
    if text("aws:asset:property").is_some_and(|named| named != property) {
        return None;
    }
    let path = template.folder().join(text("aws:asset:path")?);
    Some(match (path.is_dir(), path.is_file()) {
        (true, _) => Asset::Folder(path),
        (false, true) => Asset::File(path),
        (false, false) => Asset::Missing(path),
    })
}

//! Objects for the other services of the local cloud, which come in without a request.

use std::{fs, io::Read, sync::Arc};

use http::{Extensions, StatusCode};
use s3s::{
    S3Error, S3Result,
    crypto::{Checksum as _, Md5},
};

use super::{
    S3,
    condition::WriteCondition,
    event::Reason,
    listing::{PAGE, Query, list},
    object::{Attributes, Checksums, Content},
    operations::{Operations, storage_class},
    receive::hex,
    store::internal,
    tags::Tags,
};
use crate::states::items::objects::{ListedObject, Listing, ObjectId, Objects, ObjectsError, Page};

impl Objects for S3 {
    fn open(&self, object: &ObjectId) -> Result<Box<dyn Read + Send>, ObjectsError> {
        let opened = self.store.open_data(&object.bucket, &object.key, object.version_id.as_deref());
        Ok(Box::new(opened.map_err(|error| refused(&error))?.file))
    }

    fn list(&self, listing: &Listing, after: Option<&str>) -> Result<Page, ObjectsError> {
        let after = after.or(listing.start_after.as_deref());
        let query = Query { prefix: &listing.prefix, delimiter: None, after, limit: PAGE };
        let page = self.store.with_bucket(&listing.bucket, |bucket| {
            Ok(list(&bucket.keys, &query, |key, versions| {
                let version = versions.last()?;
                let content = version.content.as_ref()?;
                Some(ListedObject {
                    key: key.to_owned(),
                    e_tag: format!("\"{}\"", content.e_tag),
                    last_modified: version.modified,
                    size: content.size,
                    storage_class: storage_class(version),
                })
            }))
        });
        page.map(|page| Page { objects: page.items, next: page.next }).map_err(|error| refused(&error))
    }

    fn put(&self, bucket: &str, key: &str, body: Vec<u8>) -> Result<(), ObjectsError> {
        self.put_json(bucket, key, &body).map_err(|error| refused(&error))
    }
}

impl S3 {
    fn put_json(&self, bucket: &str, key: &str, body: &[u8]) -> S3Result<()> {
        let data = self.store.new_data(bucket, key)?;
        fs::write(data.path(), body).map_err(internal)?;
        let mut md5 = Md5::new();
        md5.update(body);
        let content = Content {
            file: String::new(),
            size: body.len() as u64,
            e_tag: hex(&md5.finalize()),
            attributes: Attributes { content_type: Some("application/json".to_owned()), ..Attributes::default() },
            checksums: Checksums::default(),
            parts: Vec::new(),
            tags: Tags::new(),
        };
        let committed = self.store.commit(bucket, key, data, content, &WriteCondition::default())?;
        let operations = Operations::new(Arc::clone(&self.store), self.listener.clone());
        operations.teller(&Extensions::new()).created(Reason::Put, bucket, &committed);
        Ok(())
    }
}

fn refused(error: &S3Error) -> ObjectsError {
    let status = error.status_code().unwrap_or(StatusCode::INTERNAL_SERVER_ERROR).as_u16();
    let code = error.code().as_str().to_owned();
    let message = match (error.message(), std::error::Error::source(error)) {
        (Some(message), _) => message.to_owned(),
        (None, Some(source)) => source.to_string(),
        (None, None) => code.clone(),
    };
    ObjectsError::new(code, status, message)
}

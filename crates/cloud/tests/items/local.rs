//! The local S3 as a place to read from and to write to.

use std::io::Read as _;

use cloud::{
    s3::{EventKind, Reason, S3},
    states::items::objects::{Listing, ObjectId, Objects},
};
use tokio::sync::mpsc;

fn text(s3: &S3, object: &ObjectId) -> String {
    let mut text = String::new();
    s3.open(object).unwrap().read_to_string(&mut text).unwrap();
    text
}

#[test]
fn what_is_put_can_be_listed_and_opened() {
    let (sender, mut events) = mpsc::unbounded_channel();
    let s3 = S3::ephemeral(sender).unwrap();
    s3.create_bucket_if_absent("bucket", true).unwrap();
    s3.put("bucket", "in/1", b"old".to_vec()).unwrap();
    s3.put("bucket", "in/1", b"[1]".to_vec()).unwrap();
    s3.put("bucket", "other", b"x".to_vec()).unwrap();

    let event = events.try_recv().unwrap();
    assert_eq!((event.kind, &*event.key, event.size), (EventKind::Created(Reason::Put), "in/1", 3));
    assert_eq!(event.e_tag.as_deref(), Some("149603e6c03516362a8da23f624db945"));
    let versioned = ObjectId { version_id: event.version_id, ..ObjectId::newest("bucket", "in/1") };
    assert_eq!(text(&s3, &versioned), "old");
    assert_eq!(text(&s3, &ObjectId::newest("bucket", "in/1")), "[1]");

    let listing = Listing { bucket: "bucket".into(), prefix: "in/".into(), start_after: None };
    let page = s3.list(&listing, None).unwrap();
    let [found] = &page.objects[..] else { panic!("{page:?}") };
    assert_eq!((&*found.key, found.size, &*found.storage_class), ("in/1", 3, "STANDARD"));
    assert_eq!(found.e_tag, "\"35dba5d75538a9bbe0b4da4422759a0e\"");
    assert!(s3.list(&Listing { start_after: Some("in/1".into()), ..listing }, None).unwrap().objects.is_empty());
}

#[test]
fn many_objects_are_listed_in_pages() {
    let (sender, _events) = mpsc::unbounded_channel();
    let s3 = S3::ephemeral(sender).unwrap();
    s3.create_bucket_if_absent("bucket", false).unwrap();
    for number in 0..1001 {
        s3.put("bucket", &format!("{number:04}"), Vec::new()).unwrap();
    }
    let listing = Listing { bucket: "bucket".into(), prefix: String::new(), start_after: None };
    let first = s3.list(&listing, None).unwrap();
    assert_eq!((first.objects.len(), first.next.as_deref()), (1000, Some("0999")));
    let second = s3.list(&listing, first.next.as_deref()).unwrap();
    assert_eq!((&*second.objects[0].key, second.next), ("1000", None));
}

#[test]
fn refusals_are_told() {
    let (sender, _events) = mpsc::unbounded_channel();
    let s3 = S3::ephemeral(sender).unwrap();
    s3.create_bucket_if_absent("bucket", false).unwrap();
    let codes = [
        s3.open(&ObjectId::newest("bucket", "none")).err().unwrap(),
        s3.open(&ObjectId::newest("none", "none")).err().unwrap(),
        s3.put("none", "key", Vec::new()).unwrap_err(),
    ]
    .map(|error| (error.code, error.status));
    let expected = [("NoSuchKey", 404), ("NoSuchBucket", 404), ("NoSuchBucket", 404)];
    assert_eq!(codes, expected.map(|(code, status)| (code.to_owned(), status)));
}

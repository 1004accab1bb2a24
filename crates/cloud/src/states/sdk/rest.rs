//! The REST protocols: members in the path, the query, headers and the body.

use std::fmt::Write as _;

use asl::{Value, value::Object};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use engine::services::{Member, Operation, Place, Protocol, Shape, Structure, TimestampFormat};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use percent_encoding::{AsciiSet, utf8_percent_encode};
use s3s::crypto::{Checksum as _, Md5};

use super::{ENCODED, Unreadable, Unsendable, json, moment, text, xml};

/// The same, where a part of the path may have parts of its own: `{Key+}`.
const ENCODED_PATH: &AsciiSet = &ENCODED.remove(b'/');

/// The request of a call.
pub(super) fn request(operation: &Operation, parameters: &Object) -> Result<http::Request<Bytes>, Unsendable> {
    let empty = Structure::default();
    let shape = operation.model.structure(operation.action.input.as_deref()).unwrap_or(&empty);
    let sender = Sender { operation, shape, parameters };
    let (content_type, body) = sender.body();
    let mut request =
        http::Request::builder().method(operation.action.method.as_str()).uri(sender.address()?).body(body)?;
    if operation.action.checksum {
        let mut digest = Md5::new();
        digest.update(request.body());
        let digest = HeaderValue::try_from(STANDARD.encode(digest.finalize())).map_err(http::Error::from)?;
        request.headers_mut().insert("content-md5", digest);
    }
    if let Some(content_type) = content_type {
        request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    sender.headers(request.headers_mut())?;
    Ok(request)
}

fn is_xml(operation: &Operation) -> bool {
    matches!(operation.model.protocol, Some(Protocol::RestXml))
}

struct Sender<'a> {
    operation: &'a Operation,
    shape: &'a Structure,
    parameters: &'a Object,
}

impl Sender<'_> {
    /// The members at a place, with their values.
    fn at(&self, place: Place) -> impl Iterator<Item = (&str, &Member, &Value)> {
        let members = self.shape.members.iter().filter(move |(_, member)| member.place == place);
        members.filter_map(|(name, member)| Some((name.as_str(), member, self.parameters.get(name.as_str())?)))
    }

    fn address(&self) -> Result<String, Unsendable> {
        let mut address = self.operation.action.path.clone();
        for (name, member, value) in self.at(Place::Path) {
            let text = text(value).filter(|text| !text.is_empty()).ok_or_else(|| Unsendable::Field(name.to_owned()))?;
            let label = member.sent_as(name);
            address = address
                .replace(&format!("{{{label}+}}"), &utf8_percent_encode(&text, ENCODED_PATH).to_string())
                .replace(&format!("{{{label}}}"), &utf8_percent_encode(&text, ENCODED).to_string());
        }
        // One that is not given leaves its label.
        if let Some((_, label)) = address.split_once('{') {
            return Err(Unsendable::Field(label.split(['}', '+']).next().unwrap_or_default().to_owned()));
        }
        let encode = |text: &str| utf8_percent_encode(text, ENCODED).to_string();
        let mut add = |name: &str, value: &str| {
            let separator = if address.contains('?') { '&' } else { '?' };
            let _ = write!(address, "{separator}{}={}", encode(name), encode(value));
        };
        for (name, member, value) in self.at(Place::Query) {
            match value {
                Value::Object(fields) => {
                    fields.iter().for_each(|(name, value)| add(name, &text(value).unwrap_or_default()));
                }
                Value::Array(items) => {
                    items.iter().for_each(|item| add(member.sent_as(name), &self.scalar(member, item)));
                }
                value => add(member.sent_as(name), &self.scalar(member, value)),
            }
        }
        Ok(address)
    }

    fn scalar(&self, member: &Member, value: &Value) -> String {
        let value = match self.operation.model.of(member) {
            Shape::Timestamp { format } => moment::sent(
                value,
                format.unwrap_or(match member.place {
                    Place::Header => TimestampFormat::Rfc822,
                    _ => TimestampFormat::Iso8601,
                }),
            ),
            _ => value.clone(),
        };
        text(&value).unwrap_or_default()
    }

    fn headers(&self, headers: &mut HeaderMap) -> Result<(), Unsendable> {
        let mut add = |field: &str, name: &str, value: &str| {
            let unsendable = || Unsendable::Field(field.to_owned());
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unsendable())?;
            headers.insert(name, HeaderValue::from_str(value).map_err(|_| unsendable())?);
            Ok::<_, Unsendable>(())
        };
        for (name, member, value) in self.at(Place::Header) {
            match value {
                Value::Array(items) => {
                    let items: Vec<_> = items.iter().map(|item| self.scalar(member, item)).collect();
                    add(name, member.sent_as(name), &items.join(","))?;
                }
                value => add(name, member.sent_as(name), &self.scalar(member, value))?,
            }
        }
        for (name, member, value) in self.at(Place::Headers) {
            let Value::Object(fields) = value else { continue };
            for (key, value) in fields.iter() {
                add(name, &format!("{}{key}", member.sent_as(name)), &text(value).unwrap_or_default())?;
            }
        }
        Ok(())
    }

    /// The body, with its type unless the parameters say another.
    fn body(&self) -> (Option<&'static str>, Bytes) {
        let payload = self.shape.payload.as_deref();
        let payload = payload.and_then(|name| Some((name, self.shape.members.get(name)?)));
        let is_xml = is_xml(self.operation);
        let Some((name, member)) = payload else {
            let fields: Object = self.at(Place::Body).map(|(name, _, value)| (name.into(), value.clone())).collect();
            if fields.is_empty() || is_xml {
                return (None, Bytes::new());
            }
            return (
                Some("application/json"),
                json::object(self.operation.model, self.shape, &fields).to_string().into(),
            );
        };
        match (self.operation.model.of(member), self.parameters.get(name)) {
            (_, None) => (None, Bytes::new()),
            (Shape::Structure(_), Some(value)) if is_xml => {
                let mut out = String::new();
                xml::write(self.operation.model, member, member.sent_as(name), value, &mut out);
                (Some("application/xml"), out.into())
            }
            (Shape::Structure(shape), Some(Value::Object(fields))) => {
                (Some("application/json"), json::object(self.operation.model, shape, fields).to_string().into())
            }
            // Step Functions hands texts to its SDK, which says so where the parameters name no other type.
            (shape, Some(value)) => {
                // Of bytes, the JSON text of whatever is given: a string's has its quotes.
                let body = if matches!(shape, Shape::Blob { .. }) { Some(value.to_string()) } else { text(value) };
                (Some("text/plain; charset=UTF-8"), body.unwrap_or_default().into())
            }
        }
    }
}

/// The members of a response.
pub(super) fn read(
    operation: &Operation,
    shape: &Structure,
    status: StatusCode,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<Object, Unreadable> {
    let payload = shape.payload.as_deref();
    let mut read = match payload {
        Some(_) => Object::new(),
        None => document(operation, shape, body)?,
    };
    for (name, member) in &shape.members {
        let value = match member.place {
            Place::Status => Some(u64::from(status.as_u16()).into()),
            Place::Header => {
                let value = headers.get(member.sent_as(name)).map(|value| String::from_utf8_lossy(value.as_bytes()));
                value.map(|value| of_header(operation, member, &value))
            }
            Place::Headers => Some(with_prefix(headers, member.sent_as(name))),
            Place::Body if payload == Some(name) => whole_body(operation, member, body)?,
            Place::Body | Place::Path | Place::Query => None,
        };
        if let Some(value) = value {
            read.insert(name.as_str().into(), value);
        }
    }
    Ok(read)
}

/// The members of a body that is no single member's.
fn document(operation: &Operation, shape: &Structure, body: &Bytes) -> Result<Object, Unreadable> {
    let has_members = shape.members.values().any(|member| member.place == Place::Body);
    if body.is_empty() || !has_members {
        return Ok(Object::new());
    }
    if !is_xml(operation) {
        return json::read(operation.model, shape, body);
    }
    let root = xml::parse(body)?;
    // S3 answers a bucket's location with the member itself.
    let own = shape.members.get_key_value(root.name.as_str()).filter(|_| root.children.is_empty());
    Ok(match own {
        Some((name, member)) => Object::from_iter([(name.as_str().into(), xml::part(operation.model, member, &root))]),
        None => xml::structure(operation.model, shape, &root),
    })
}

fn whole_body(operation: &Operation, member: &Member, body: &Bytes) -> Result<Option<Value>, Unreadable> {
    match operation.model.of(member) {
        Shape::Structure(_) if body.is_empty() => Ok(None),
        Shape::Structure(_) if is_xml(operation) => Ok(Some(xml::part(operation.model, member, &xml::parse(body)?))),
        Shape::Structure(shape) => Ok(Some(json::read(operation.model, shape, body)?.into())),
        // Text as it is. Bytes that are none can't stand in JSON as they are.
        _ => Ok(Some(match std::str::from_utf8(body) {
            Ok(text) => text.into(),
            Err(_) => STANDARD.encode(body).into(),
        })),
    }
}

fn of_header(operation: &Operation, member: &Member, value: &str) -> Value {
    match operation.model.of(member) {
        Shape::Timestamp { .. } => moment::told(&value.into()),
        Shape::Number { .. } | Shape::Boolean => Value::parse(value).unwrap_or_else(|_| value.into()),
        Shape::List { .. } => value.split(',').map(|item| item.trim().into()).collect::<Vec<_>>().into(),
        _ => value.into(),
    }
}

/// The headers whose names begin so, by what follows.
fn with_prefix(headers: &HeaderMap, prefix: &str) -> Value {
    let prefix = prefix.to_ascii_lowercase();
    let found = headers.iter().filter_map(|(name, value)| {
        let key = name.as_str().strip_prefix(&prefix)?;
        Some((key.into(), String::from_utf8_lossy(value.as_bytes()).into_owned().into()))
    });
    found.collect::<Object>().into()
}

//! The functions that the service adds to the language, and those that a replay must answer as the execution did.

use std::{cell::Cell, rc::Rc};

use jsonata_core::{
    ast::AstNode,
    evaluator::{Context, Evaluator, EvaluatorError, EvaluatorOptions},
    value::JValue,
};
use sha2::Digest;

use super::{DEPTH_LIMIT, TIME_LIMIT_MS, conversion, error::EvaluationError, tree};
use crate::{Value, context::Environment};

/// The most items that `$range` makes: measured at the service.
const RANGE_LIMIT: usize = 360_145;

/// A function that the engine lacks, or whose answer comes from the execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extra {
    Hash,
    Millis,
    Now,
    Parse,
    Partition,
    Random,
    Range,
    Shuffle,
    Uuid,
}

impl Extra {
    const ALL: [Self; 9] = [
        Self::Hash,
        Self::Millis,
        Self::Now,
        Self::Parse,
        Self::Partition,
        Self::Random,
        Self::Range,
        Self::Shuffle,
        Self::Uuid,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Hash => "hash",
            Self::Millis => "millis",
            Self::Now => "now",
            Self::Parse => "parse",
            Self::Partition => "partition",
            Self::Random => "random",
            Self::Range => "range",
            Self::Shuffle => "shuffle",
            Self::Uuid => "uuid",
        }
    }

    /// Those that an expression names. Only these are registered for its evaluations.
    pub(super) fn named_in(ast: &AstNode) -> Vec<Self> {
        let mut found = Vec::new();
        tree::visit(ast, &mut |node| {
            if let AstNode::Variable(name) | AstNode::Function { name, .. } = node
                && let Some(extra) = Self::ALL.into_iter().find(|extra| extra.name() == name)
                && !found.contains(&extra)
            {
                found.push(extra);
            }
        });
        found
    }
}

/// Makes the functions known to an evaluator.
pub(super) fn register(
    extras: &[Extra],
    evaluator: &mut Evaluator,
    environment: &dyn Environment,
) -> Result<(), EvaluatorError> {
    if extras.is_empty() {
        return Ok(());
    }
    // Functions may be called any number of times, and can't hold the environment: one draw seeds them all.
    let draws = [Extra::Random, Extra::Shuffle, Extra::Uuid].iter().any(|extra| extras.contains(extra));
    let numbers = Rc::new(Numbers(Cell::new(if draws { environment.random() } else { 0 })));
    #[expect(clippy::cast_precision_loss, reason = "milliseconds fit in a double for the next 285,000 years")]
    let now = (environment.now().unix_timestamp_nanos() / 1_000_000) as f64;
    for extra in extras {
        let numbers = Rc::clone(&numbers);
        match extra {
            Extra::Hash => evaluator.register_fn_override(extra.name(), hash),
            Extra::Millis => evaluator.register_fn_override(extra.name(), move |_: &[JValue]| Ok(JValue::Number(now))),
            Extra::Now => evaluator.register_fn_override(extra.name(), move |args: &[JValue]| from_millis(now, args)),
            Extra::Parse => evaluator.register_fn_override(extra.name(), parse),
            Extra::Partition => evaluator.register_fn_override(extra.name(), partition),
            Extra::Random => {
                evaluator.register_fn_override(extra.name(), move |args: &[JValue]| random(args, &numbers))
            }
            Extra::Range => evaluator.register_fn_override(extra.name(), range),
            Extra::Shuffle => {
                evaluator.register_fn_override(extra.name(), move |args: &[JValue]| shuffle(args, &numbers))
            }
            Extra::Uuid => evaluator.register_fn_override(extra.name(), move |_: &[JValue]| Ok(uuid(&numbers))),
        }?;
    }
    Ok(())
}

type Answer = Result<JValue, EvaluatorError>;

/// The argument at `index` is not what the function takes.
fn mismatch(function: &str, index: usize) -> EvaluatorError {
    let message = format!("Argument {} of function \"{function}\" does not match function signature", index + 1);
    EvaluationError::coded("T0410", message).into()
}

/// A number without its fraction; nothing for undefined.
fn whole(function: &str, args: &[JValue], index: usize) -> Result<Option<f64>, EvaluatorError> {
    match args.get(index) {
        Some(JValue::Number(number)) => Ok(Some(number.trunc())),
        None | Some(JValue::Undefined) => Ok(None),
        Some(_) => Err(mismatch(function, index)),
    }
}

/// A text; nothing for undefined.
fn text<'a>(function: &str, args: &'a [JValue], index: usize) -> Result<Option<&'a str>, EvaluatorError> {
    match args.get(index) {
        Some(JValue::String(text)) => Ok(Some(text)),
        None | Some(JValue::Undefined) => Ok(None),
        Some(_) => Err(mismatch(function, index)),
    }
}

/// `$hash(text, algorithm)`: hexadecimal digits.
fn hash(args: &[JValue]) -> Answer {
    let (Some(data), Some(algorithm)) = (text("hash", args, 0)?, text("hash", args, 1)?) else {
        return Ok(JValue::Undefined);
    };
    let digest = match algorithm {
        "MD5" => hex(&md5::Md5::digest(data)),
        "SHA-1" => hex(&sha1::Sha1::digest(data)),
        "SHA-256" => hex(&sha2::Sha256::digest(data)),
        "SHA-384" => hex(&sha2::Sha384::digest(data)),
        "SHA-512" => hex(&sha2::Sha512::digest(data)),
        _ => return Err(mismatch("hash", 1)),
    };
    Ok(JValue::string(digest))
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

/// `$now(picture, timezone)` is `$fromMillis` of the moment of the evaluation.
fn from_millis(now: f64, args: &[JValue]) -> Answer {
    let variable = |name: &str| AstNode::Variable(name.to_owned());
    let call = AstNode::Function {
        name: "fromMillis".to_owned(),
        args: vec![AstNode::Number(now), variable("picture"), variable("timezone")],
        is_builtin: true,
    };
    let mut context = Context::new();
    for (index, name) in ["picture", "timezone"].into_iter().enumerate() {
        if let Some(argument) = text("now", args, index)? {
            context.bind(name.to_owned(), JValue::string(argument));
        }
    }
    let options = EvaluatorOptions {
        timeout_ms: Some(TIME_LIMIT_MS),
        max_stack_depth: Some(DEPTH_LIMIT),
        ..EvaluatorOptions::default()
    };
    Evaluator::with_options(context, options).evaluate(&call, &JValue::Undefined)
}

/// `$parse(text)`: the value of JSON text.
fn parse(args: &[JValue]) -> Answer {
    let Some(text) = text("parse", args, 0)? else { return Ok(JValue::Undefined) };
    match Value::parse(text) {
        Ok(value) => Ok(conversion::from_value(&value)),
        Err(error) => Err(EvaluatorError::EvaluationError(format!("Invalid JSON: {error}"))),
    }
}

/// `$partition(array, size)`: arrays of at most `size` items.
fn partition(args: &[JValue]) -> Answer {
    let Some(size) = whole("partition", args, 1)? else { return Ok(JValue::Undefined) };
    let items = match args.first() {
        None | Some(JValue::Undefined) => return Ok(JValue::Undefined),
        Some(JValue::Array(items)) => items.to_vec(),
        Some(single) => vec![single.clone()],
    };
    if size < 1.0 || items.is_empty() {
        return Ok(JValue::Undefined);
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, and saturating above")]
    let size = size as usize;
    Ok(JValue::array(items.chunks(size).map(|chunk| JValue::array(chunk.to_vec())).collect()))
}

/// `$range(first, last, step)`: the last is among them where a step hits it.
fn range(args: &[JValue]) -> Answer {
    if args.len() < 2 {
        return Err(mismatch("range", args.len()));
    }
    let (Some(first), Some(last), Some(step)) =
        (whole("range", args, 0)?, whole("range", args, 1)?, whole("range", args, 2)?)
    else {
        return Ok(JValue::Undefined);
    };
    let count = ((last - first) / step).floor() + 1.0;
    if step == 0.0 || count.is_nan() || count < 1.0 {
        return Ok(JValue::Undefined);
    }
    #[expect(clippy::cast_precision_loss, reason = "the limit is exact in a double")]
    if count > RANGE_LIMIT as f64 {
        return Err(EvaluationError::memory().into());
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and the limit")]
    let count = count as u32;
    Ok(JValue::sequence_flat((0..count).map(|index| JValue::Number(first + f64::from(index) * step)).collect(), true))
}

/// `$random(seed)`: from 0 up to 1. With a seed, what Java's `Random` of that seed gives first.
fn random(args: &[JValue], numbers: &Numbers) -> Answer {
    let Some(seed) = whole("random", args, 0)? else { return Ok(JValue::Number(numbers.unit())) };
    #[expect(clippy::cast_possible_truncation, reason = "saturating, as in Java")]
    let seed = seed as i64;
    let mut state = (seed ^ 0x5_DEEC_E66D) & 0xFFFF_FFFF_FFFF;
    let mut next = |bits: u32| {
        state = state.wrapping_mul(0x5_DEEC_E66D).wrapping_add(0xB) & 0xFFFF_FFFF_FFFF;
        state >> (48 - bits)
    };
    let (high, low) = (next(26), next(27));
    #[expect(clippy::cast_precision_loss, reason = "53 bits")]
    let number = ((high << 27) + low) as f64;
    Ok(JValue::Number(number * 2.0_f64.powi(-53)))
}

/// `$shuffle(array)`
fn shuffle(args: &[JValue], numbers: &Numbers) -> Answer {
    match args {
        [] | [JValue::Undefined] => Ok(JValue::Undefined),
        [JValue::Array(items)] => {
            let mut items = items.to_vec();
            for last in (1..items.len()).rev() {
                items.swap(last, numbers.below(last + 1));
            }
            Ok(JValue::array(items))
        }
        [single] => Ok(JValue::array(vec![single.clone()])),
        [_, ..] => Err(mismatch("shuffle", 1)),
    }
}

/// `$uuid()`: version 4.
fn uuid(numbers: &Numbers) -> JValue {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&numbers.next().to_be_bytes());
    bytes[8..].copy_from_slice(&numbers.next().to_be_bytes());
    JValue::string(uuid::Builder::from_random_bytes(bytes).into_uuid().to_string())
}

/// Random numbers from one seed: the generator `SplitMix64`.
struct Numbers(Cell<u64>);

impl Numbers {
    fn next(&self) -> u64 {
        let state = self.0.get().wrapping_add(0x9E37_79B9_7F4A_7C15);
        self.0.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From 0 up to 1.
    fn unit(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "53 bits")]
        let number = (self.next() >> 11) as f64;
        number * 2.0_f64.powi(-53)
    }

    /// From 0 up to `limit`.
    fn below(&self, limit: usize) -> usize {
        let limit = u128::try_from(limit).unwrap_or(1);
        usize::try_from((u128::from(self.next()) * limit) >> 64).unwrap_or(0)
    }
}

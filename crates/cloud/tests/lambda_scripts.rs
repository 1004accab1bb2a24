//! Functions that an interpreter runs: what they get, what they answer, and what is said when they fail.
//!
//! Python is on every machine that tests this project. What needs Node.js is left out, and says so, where it is not there.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic, its helpers too")]

mod lambda_support;

use std::{fs, path::Path, process::Command, sync::Arc};

use cloud::lambda::{Invocation, Lambda, Notice, notices};
use lambda_support::{config, error_of, function, invoke, json_of, record};
use sam::{Code, Language};
use serde_json::{Value, json};

/// What runs here, so that no notice is given of its version.
fn python() -> Language {
    let output = Command::new("python3").args(["-c", "import sys; print(sys.version_info[1])"]).output().unwrap();
    Language::Python { minor: String::from_utf8(output.stdout).unwrap().trim().parse().unwrap() }
}

fn node() -> Option<Language> {
    let output = Command::new("node").args(["-p", "process.versions.node.split('.')[0]"]).output();
    let Ok(output) = output else {
        eprintln!("left out: this machine has no Node.js");
        return None;
    };
    Some(Language::Node { major: String::from_utf8(output.stdout).unwrap().trim().parse().unwrap() })
}

/// `Deeds` as a script, whose handler is `handler`.
fn script(code: Code, handler: &str) -> sam::Function {
    let mut function = function();
    let (Code::Scripts { language, .. } | Code::Inline { language, .. }) = &code else { panic!("{code:?}") };
    function.runtime = language.runtime();
    function.code = code;
    handler.clone_into(&mut function.handler);
    function.environment.clear();
    function
}

fn inline(language: Language, text: &str) -> sam::Function {
    script(Code::Inline { language, text: text.to_owned() }, "index.handler")
}

fn lambda(function: sam::Function) -> Arc<Lambda> {
    Lambda::new(config(vec![function])).unwrap()
}

fn tail(invocation: &Invocation) -> String {
    String::from_utf8(invocation.log_tail.to_vec()).unwrap()
}

/// A handler that is called with `{"n": 1}`, and what it answers.
type Good<'a> = (&'a str, Value);

/// A handler that fails; the error's type, what its message begins with, and a part of its trace. A request id is `ID`.
type Bad<'a> = (&'a str, &'a str, &'a str, &'a str);

async fn all_answer(language: Language, cases: &[Good<'_>]) {
    for (text, expected) in cases {
        let invocation = invoke(&lambda(inline(language, text)), json!({ "n": 1 })).await;
        assert_eq!((&json_of(&invocation), invocation.failed), (expected, false), "{text}\n{}", tail(&invocation));
    }
}

async fn all_fail(language: Language, trace: &str, cases: &[Bad<'_>]) {
    for (text, kind, message, part) in cases {
        let lambda = lambda(inline(language, text));
        let invocation = invoke(&lambda, json!({ "n": 1 })).await;
        let (found_kind, found_message) = error_of(&invocation);
        let found_message = found_message.replace(&invocation.request_id, "ID");
        assert_eq!(found_kind, *kind, "{text}\n{}", tail(&invocation));
        assert!(found_message.starts_with(message), "{text}: {found_message}");
        let found = json_of(&invocation)[trace].to_string();
        assert!(found.contains(part), "{text}: {found}");
        // Whatever it was, the next invocation is served.
        assert_eq!(error_of(&invoke(&lambda, json!({ "n": 1 })).await).0, *kind, "{text}");
    }
}

#[tokio::test]
async fn python_functions_answer() {
    let context = "\
import os
def handler(event, context):
    same = context.invoked_function_arn.endswith(':Deeds') and len(context.aws_request_id) == 36
    time = 0 < context.get_remaining_time_in_millis() <= 10000
    return [same, time, context.function_name, context.function_version, context.memory_limit_in_mb,
            context.log_group_name, context.identity.cognito_identity_id, context.client_context,
            os.environ['_X_AMZN_TRACE_ID'][:7], os.environ['AWS_EXECUTION_ENV'][:17], os.getcwd() == os.environ['LAMBDA_TASK_ROOT']]
";
    let cases = [
        ("def handler(event, context): return event", json!({ "n": 1 })),
        ("def handler(event, context): return None", Value::Null),
        ("def handler(event, context): return 'ü'", json!("ü")),
        ("from decimal import Decimal\ndef handler(event, context): return Decimal('2.5')", json!(2.5)),
        ("class Handler:\n  def __call__(self, event, context): return event['n']\nhandler = Handler()", json!(1)),
        (
            context,
            json!([
                true,
                true,
                "Deeds",
                "$LATEST",
                "128",
                "/aws/lambda/Deeds",
                null,
                null,
                "Root=1-",
                "AWS_Lambda_python",
                true
            ]),
        ),
    ];
    all_answer(python(), &cases).await;
}

#[tokio::test]
async fn python_functions_fail_as_on_lambda() {
    let cases = [
        (
            "class OutOfStock(Exception): pass\ndef handler(event, context):\n  raise OutOfStock('none left')",
            "OutOfStock",
            "none left",
            "line 3, in handler\\n    raise OutOfStock('none left')\\n",
        ),
        (
            "def handler(event, context): raise ConnectionResetError('far away')",
            "ConnectionResetError",
            "far away",
            "index.py",
        ),
        (
            "def handler(event, context): return {1, 2}",
            "Runtime.MarshalError",
            "Unable to marshal response: Object of type set is not JSON serializable",
            "[]",
        ),
        (
            "import nowhere",
            "Runtime.ImportModuleError",
            "Unable to import module 'index': No module named 'nowhere'",
            "[]",
        ),
        ("def other(): pass", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'index'", "[]"),
        (
            "def handler(:",
            "Runtime.UserCodeSyntaxError",
            "Syntax error in module 'index': invalid syntax (index.py, line 1)",
            "index.py\\\" Line 1\\n    def handler(:",
        ),
        ("raise ValueError('no settings')", "ValueError", "no settings", "index.py"),
        (
            "import sys\ndef handler(event, context): sys.exit(4)",
            "Runtime.ExitError",
            "RequestId: ID Error: Runtime exited with error: exit status 4",
            "null",
        ),
        (
            "import os\ndef handler(event, context): os.abort()",
            "Runtime.ExitError",
            "RequestId: ID Error: Runtime exited with error: signal: aborted",
            "null",
        ),
        (
            "def handler(event, context): return 'x' * 7000000",
            "Function.ResponseSizeTooLarge",
            "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
            "null",
        ),
    ];
    all_fail(python(), "stackTrace", &cases).await;
    let nameless = script(Code::Inline { language: python(), text: String::new() }, "handler");
    let (kind, message) = error_of(&invoke(&lambda(nameless), json!({})).await);
    assert_eq!(kind, "Runtime.MalformedHandlerName");
    assert_eq!(message, "Bad handler 'handler': not enough values to unpack (expected 2, got 1)");
}

#[tokio::test]
async fn what_a_python_function_logs_has_lambdas_form() {
    let text = "\
import logging
logger = logging.getLogger('shop')
def handler(event, context):
    print('printed')
    logger.warning('low on %s', 'tea')
    logger.info('nobody hears')
    raise ValueError('bad')
";
    let mut spoken = inline(python(), text);
    let invocation = invoke(&lambda(spoken.clone()), json!({})).await;
    let (log, id) = (tail(&invocation), &invocation.request_id);
    assert!(log.contains("printed\n[WARNING]\t20"), "{log}");
    assert!(
        log.contains(&format!("Z\t{id}\tlow on tea\n[ERROR] ValueError: bad\nTraceback (most recent call last):\n")),
        "{log}"
    );
    assert!(!log.contains("nobody hears"), "{log}");

    spoken.log_format = sam::LogFormat::Json { level: "INFO".to_owned() };
    let invocation = invoke(&lambda(spoken), json!({})).await;
    let log = tail(&invocation);
    let lines: Vec<Value> = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let told: Vec<_> = lines.iter().map(|line| (&line["level"], &line["message"], &line["errorType"])).collect();
    let null = Value::Null;
    assert_eq!(
        told,
        [
            (&json!("WARNING"), &json!("low on tea"), &null),
            (&json!("INFO"), &json!("nobody hears"), &null),
            (&null, &null, &json!("ValueError")),
        ],
        "{log}"
    );
}

#[tokio::test]
async fn node_functions_answer() {
    let Some(node) = node() else { return };
    let context = "\
exports.handler = async (event, context) => [
  context.invokedFunctionArn.endsWith(':Deeds'), context.awsRequestId.length, context.getRemainingTimeInMillis() <= 10000,
  context.functionName, context.functionVersion, context.memoryLimitInMB, context.logGroupName,
  process.env._X_AMZN_TRACE_ID.slice(0, 7), process.cwd() === process.env.LAMBDA_TASK_ROOT,
];
";
    let cases = [
        ("exports.handler = async (event) => event", json!({ "n": 1 })),
        ("exports.handler = async () => undefined", Value::Null),
        ("exports.handler = (event, context, callback) => callback(null, event.n)", json!(1)),
        ("exports.handler = (event, context, callback) => { setTimeout(() => callback(null, 'late'), 5) }", json!("late")),
        ("exports.handler = (event, context) => context.succeed('done')", json!("done")),
        ("exports.handler = () => { 'nothing is said' }", Value::Null),
        (
            "exports.handler = (e, context, callback) => {
               context.callbackWaitsForEmptyEventLoop = false; setInterval(() => {}, 1000); callback(null, 'at once') }",
            json!("at once"),
        ),
        (
            "let after = 'before'; exports.handler = (event, context, callback) => {
               const result = { toJSON: () => after }; callback(null, result); setTimeout(() => { after = 'after' }, 5) }",
            json!("after"),
        ),
        (context, json!([true, 36, true, "Deeds", "$LATEST", "128", "/aws/lambda/Deeds", "Root=1-", true])),
    ];
    all_answer(node, &cases).await;
}

#[tokio::test]
async fn node_functions_fail_as_on_lambda() {
    let Some(node) = node() else { return };
    let cases = [
        (
            "class OutOfStock extends Error { name = 'OutOfStock' }\nexports.handler = async () => { throw new OutOfStock('none left') }",
            "OutOfStock",
            "none left",
            "index.js:2",
        ),
        ("exports.handler = () => { throw new TypeError('at once') }", "TypeError", "at once", "index.js:1"),
        (
            "exports.handler = (e, c, callback) => callback(new RangeError('far'))",
            "RangeError",
            "far",
            "RangeError: far",
        ),
        ("exports.handler = (e, c, callback) => callback('a text')", "string", "a text", "[]"),
        ("exports.handler = async () => { const a = {}; a.a = a; return a }", "Runtime.MarshalError", CIRCULAR, ""),
        ("require('nowhere')", "Runtime.ImportModuleError", NOWHERE, ""),
        ("exports.other = 1", "Runtime.HandlerNotFound", "index.handler is undefined or not exported", ""),
        ("exports.handler = 1", "Runtime.HandlerNotFound", "index.handler is not a function", ""),
        ("exports.handler = (", "Runtime.UserCodeSyntaxError", "SyntaxError: Unexpected end of input", "index.js:1"),
        ("throw new RangeError('no settings')", "RangeError", "no settings", "index.js:1"),
        (
            "exports.handler = () => { setTimeout(() => { throw new RangeError('alone') }, 1) }",
            "RangeError",
            "alone",
            "index.js:1",
        ),
        (
            "exports.handler = () => { Promise.reject(new RangeError('alone')); setTimeout(() => {}, 1000) }",
            "Runtime.UnhandledPromiseRejection",
            "RangeError: alone",
            "index.js:1",
        ),
        (
            "exports.handler = () => new Promise(() => {})",
            "Runtime.NodeJsExit",
            "The Lambda runtime client detected an unexpected Node.js exit code.",
            "",
        ),
        (
            "exports.handler = () => process.exit(4)",
            "Runtime.ExitError",
            "RequestId: ID Error: Runtime exited with error: exit status 4",
            "null",
        ),
    ];
    all_fail(node, "trace", &cases).await;
}

const CIRCULAR: &str = "Unable to stringify response body: TypeError: Converting circular structure to JSON";
const NOWHERE: &str = "Error: Cannot find module 'nowhere'";

#[tokio::test]
async fn what_a_node_function_logs_has_lambdas_form() {
    let Some(node) = node() else { return };
    let mut spoken =
        inline(node, "exports.handler = async () => { console.log('low on %s', 'tea'); console.debug({ a: 1 }) }");
    let invocation = invoke(&lambda(spoken.clone()), json!({})).await;
    let (log, id) = (tail(&invocation), &invocation.request_id);
    assert!(log.contains(&format!("Z\t{id}\tINFO\tlow on tea\n")), "{log}");
    assert!(log.contains(&format!("Z\t{id}\tDEBUG\t{{ a: 1 }}\n")), "{log}");

    spoken.log_format = sam::LogFormat::Json { level: "DEBUG".to_owned() };
    let invocation = invoke(&lambda(spoken), json!({})).await;
    let log = tail(&invocation);
    let lines: Vec<Value> = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let told: Vec<_> = lines.iter().map(|line| (&line["level"], &line["message"])).collect();
    assert_eq!(told, [(&json!("INFO"), &json!("low on tea")), (&json!("DEBUG"), &json!({ "a": 1 }))], "{log}");
}

fn write(folder: &Path, file: &str, text: &str) {
    let file = folder.join(file);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

#[tokio::test]
async fn the_handler_may_be_in_a_folder_and_use_what_is_beside_it_and_what_sam_has_built() {
    let (code, built) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write(code.path(), "src/app.py", "import near, far\ndef run(event, context): return near.name + far.name");
    write(code.path(), "near.py", "name = 'near'");
    // The sources are newer than what was built of them.
    write(built.path(), "near.py", "name = 'old'");
    write(built.path(), "far.py", "name = 'far'");
    let (folder, packages) = (code.path().to_owned(), Some(built.path().to_owned()));
    let function = script(Code::Scripts { language: python(), folder, packages }, "src/app.run");
    assert_eq!(json_of(&invoke(&lambda(function), json!({})).await), json!("nearfar"));
    let left: Vec<_> = fs::read_dir(code.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "only what was there: {left:?}");
}

#[tokio::test]
async fn node_runs_both_kinds_of_modules() {
    let Some(language) = node() else { return };
    let module = "import { name } from 'near'; export const handler = async () => name;";
    let script_ = "const { name } = require('near'); exports.handler = async () => name;";
    for (file, text, manifest) in [
        ("app.mjs", module, None),
        ("app.js", module, Some(r#"{"type":"module"}"#)),
        ("app.js", script_, None),
        ("app.cjs", script_, Some(r#"{"type":"module"}"#)),
        ("src/app.js", script_, Some("{}")),
    ] {
        let code = tempfile::tempdir().unwrap();
        write(code.path(), file, text);
        write(code.path(), "node_modules/near/package.json", r#"{"name":"near","main":"index.js"}"#);
        write(code.path(), "node_modules/near/index.js", "exports.name = 'near'");
        if let Some(manifest) = manifest {
            write(code.path(), "package.json", manifest);
        }
        let handler = format!("{}.handler", file.split('.').next().unwrap());
        let folder = code.path().to_owned();
        let function = script(Code::Scripts { language, folder, packages: None }, &handler);
        let invocation = invoke(&lambda(function), json!({})).await;
        assert_eq!(json_of(&invocation), json!("near"), "{file} {manifest:?}: {}", tail(&invocation));
    }
}

#[tokio::test]
async fn a_process_is_used_again_and_its_start_is_told_once() {
    let text =
        "count = 0\nprint('starting')\ndef handler(event, context):\n  global count\n  count += 1\n  return count";
    let mut config = config(vec![inline(python(), text)]);
    let (lines, _) = record(&mut config);
    let lambda = Lambda::new(config).unwrap();
    for count in 1..=3 {
        assert_eq!(json_of(&invoke(&lambda, json!({})).await), json!(count));
    }
    let starts = lines.lock().unwrap().iter().filter(|line| line.line == "starting").count();
    assert_eq!(starts, 1);
}

#[tokio::test]
async fn a_language_that_is_not_here_is_told_before_and_by_every_call() {
    // A version is looked for by its own name and by the language's, so another version is found.
    let other = inline(Language::Python { minor: 99 }, "def handler(event, context): return 1");
    let told = notices(std::slice::from_ref(&other));
    let [Notice::Here(told)] = told.as_slice() else { panic!("{told:?}") };
    assert!(
        told.starts_with("DeedsFunction: the template asks for Python 3.99, what runs here is Python 3."),
        "{told:?}"
    );
    assert_eq!(json_of(&invoke(&lambda(other), json!({})).await), json!(1));
    assert_eq!(notices(&[inline(python(), "def handler(event, context): return 1")]), []);
}

/// Files, a handler, and what is told of it before it is called: nothing, or what begins so.
type Told<'a> = (&'a [(&'a str, &'a str)], &'a str, Option<&'a str>);

fn all_told(language: Language, cases: &[Told<'_>]) {
    for (files, handler, expected) in cases {
        let code = tempfile::tempdir().unwrap();
        files.iter().for_each(|(file, text)| write(code.path(), file, text));
        let folder = code.path().to_owned();
        let told = notices(&[script(Code::Scripts { language, folder, packages: None }, handler)]);
        match expected {
            None => assert!(told.is_empty(), "{files:?} {handler}: {told:?}"),
            Some(expected) => {
                let [told] = told.as_slice() else { panic!("{files:?} {handler}: {told:?}") };
                assert!(matches!(told, Notice::Fault { .. }), "{told:?}");
                let told = told.to_string().replace(&format!("{}/", code.path().display()), "");
                assert!(told.starts_with(&format!("DeedsFunction cannot run: {expected}")), "{told}");
            }
        }
    }
}

#[test]
fn a_handler_in_python_that_is_not_there_is_told_before_the_call() {
    let define = "def handler(event, context): return 1";
    all_told(
        python(),
        &[
            (&[("app.py", define)], "app.handler", None),
            (&[("src/app.py", define)], "src/app.handler", None),
            (&[("src/app.py", define)], "src.app.handler", None),
            (&[("app/__init__.py", define)], "app.handler", None),
            (&[("app.py", "from json import dumps as handler")], "app.handler", None),
            (&[("app.py", "from other import *")], "app.handler", None),
            (&[("app.py", "if True:\n  handler = print\n")], "app.handler", None),
            (&[("app.py", "globals()['handler'] = print")], "app.handler", None),
            // What is installed is not looked into.
            (&[], "json.tool.main", None),
            (&[], "app.handler", Some("its handler is `app.handler`, and there is no app.py")),
            (&[("app.py", define)], "app.handle", Some("its handler is `app.handle`, and app.py has no `handle`")),
            (
                &[("app.py", "def f():\n  handler = 1")],
                "app.handler",
                Some("its handler is `app.handler`, and app.py has no `handler`"),
            ),
            (&[("app.py", "\n\ndef handler(event, context: return 1")], "app.handler", Some("app.py:3: ")),
            (&[("app.py", define)], "app", Some("its handler is `app`, and must be `module.function`")),
        ],
    );
}

#[test]
fn a_handler_in_javascript_that_is_not_there_is_told_before_the_call() {
    let Some(language) = node() else { return };
    let define = "exports.handler = async () => 1;";
    all_told(
        language,
        &[
            (&[("app.js", define)], "app.handler", None),
            (&[("src/app.mjs", "export const handler = async () => 1;")], "src/app.handler", None),
            (
                &[("package.json", r#"{"type":"module"}"#), ("app.js", "export { handler } from './b.js'")],
                "app.handler",
                None,
            ),
            (&[("app.cjs", "exports.deep = { handler: async () => 1 };")], "app.deep.handler", None),
            (&[("app.mjs", "export * from './other.mjs';")], "app.handler", None),
            (&[("app.js", "module.exports = require('./other');")], "app.handler", None),
            (&[], "app.handler", Some("its handler is `app.handler`, and there is no app.js, .mjs or .cjs")),
            (&[("app.js", define)], "app.handle", Some("its handler is `app.handle`, and app.js has no `handle`")),
            (
                &[("app.js", "\nexports.handler = async ( => 1;")],
                "app.handler",
                Some("app.js:2: SyntaxError: Unexpected token '=>'"),
            ),
            (&[("app.js", define)], "app", Some("its handler is `app`, and must be `module.function`")),
        ],
    );
}

#[tokio::test]
async fn a_function_that_nothing_here_can_run_is_told_before_and_by_every_call() {
    let mut java = function();
    java.code = Code::NotHere { reason: "its runtime is `java21`".to_owned() };
    let told = notices(&[java.clone(), java.clone()]);
    let expected = "DeedsFunction, DeedsFunction cannot run: its runtime is `java21`";
    assert_eq!(told, [Notice::Here(expected.to_owned())]);
    let invocation = invoke(&lambda(java), json!({})).await;
    let (kind, message) = error_of(&invocation);
    assert_eq!(kind, "Runtime.InvalidEntrypoint");
    assert!(message.ends_with("Error: the function cannot run here: its runtime is `java21`"), "{message}");
}

#[tokio::test]
async fn packages_that_are_not_installed_are_named() {
    let code = tempfile::tempdir().unwrap();
    write(code.path(), "requirements.txt", "no-such-package>=1\nvendored==1\n");
    write(code.path(), "vendored/__init__.py", "");
    write(code.path(), "app.py", "def handler(event, context): return 1");
    write(code.path(), "app.js", "exports.handler = async () => 1;");
    let folder = code.path().to_owned();
    let told =
        notices(&[script(Code::Scripts { language: python(), folder: folder.clone(), packages: None }, "app.handler")]);
    let [Notice::Here(told)] = told.as_slice() else { panic!("{told:?}") };
    assert!(
        told.contains("requirements.txt names what is not installed: no-such-package. Run `pip install -r"),
        "{told}"
    );

    let Some(language) = node() else { return };
    write(code.path(), "package.json", r#"{"dependencies":{"@a/far":"1","near":"1"}}"#);
    write(code.path(), "node_modules/near/package.json", "{}");
    let told = notices(&[script(Code::Scripts { language, folder, packages: None }, "app.handler")]);
    let [Notice::Here(told)] = told.as_slice() else { panic!("{told:?}") };
    assert!(told.contains("package.json names what is not installed: @a/far. Run `npm install` in"), "{told}");
}

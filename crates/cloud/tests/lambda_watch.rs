//! Functions that follow their sources, while they are called: one that Cargo builds, and one that an interpreter runs.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic, its helpers too")]

mod lambda_support;

use std::{fs, path::Path, sync::Arc};

use bytes::Bytes;
use cloud::lambda::{BuildOptions, FollowError, Followed, InvokeOptions, Lambda, build, follow};
use lambda_support::{config, function};
use sam::{Code, Function, Language};
use tokio::{sync::mpsc, task::JoinHandle};

/// A function that speaks the Runtime API by itself, so that it is built in a moment. It answers `ANSWER`.
const PROGRAM: &str = r#"
use std::io::{BufRead, BufReader, Read, Write};
fn main() {
    let api = std::env::var("AWS_LAMBDA_RUNTIME_API").unwrap();
    let mut stream = std::net::TcpStream::connect(&api).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut exchange = |head: &str, body: &str| {
        let length = body.len();
        write!(stream, "{head} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{body}").unwrap();
        let (mut id, mut length) = (String::new(), 0);
        for line in reader.by_ref().lines() {
            let line = line.unwrap().to_lowercase();
            match line.split_once(": ") {
                Some(("lambda-runtime-aws-request-id", value)) => id = value.to_owned(),
                Some(("content-length", value)) => length = value.parse().unwrap(),
                _ if line.is_empty() => break,
                _ => {}
            }
        }
        reader.read_exact(&mut vec![0; length]).unwrap();
        id
    };
    loop {
        let id = exchange("GET /2018-06-01/runtime/invocation/next", "");
        exchange(&format!("POST /2018-06-01/runtime/invocation/{id}/response"), "ANSWER");
    }
}
"#;

/// Functions that follow their sources, and what is told of it.
struct Stage {
    lambda: Arc<Lambda>,
    told: mpsc::UnboundedReceiver<Followed>,
    following: JoinHandle<Result<(), FollowError>>,
}

impl Stage {
    async fn of(functions: Vec<Function>, others: &[&Path], options: BuildOptions) -> Self {
        let mut config = config(functions.clone());
        config.executables = build(&functions, options.clone(), |_| ()).await.unwrap();
        let lambda = Lambda::new(config).unwrap();
        let (sender, told) = mpsc::unbounded_channel();
        let others = others.iter().map(|path| path.to_path_buf()).collect();
        let (ready, watching) = tokio::sync::oneshot::channel();
        let following = tokio::spawn({
            let lambda = Arc::clone(&lambda);
            let mut ready = Some(ready);
            async move {
                let tell = move |followed| match (ready.take(), followed) {
                    (Some(ready), Followed::Watching) => ready.send(()).unwrap(),
                    (_, followed) => sender.send(followed).unwrap(),
                };
                follow(&lambda, &functions, others, &options, tell).await
            }
        });
        watching.await.unwrap();
        Self { lambda, told, following }
    }

    async fn says(&self, name: &str) -> String {
        let invocation = self.lambda.invoke(name, Bytes::new(), InvokeOptions::default()).await.unwrap();
        let payload = String::from_utf8(invocation.payload.to_vec()).unwrap();
        assert!(!invocation.failed, "{payload}");
        payload
    }

    /// Calls a function until it answers this. It has to answer every call, and what it answered before until then.
    async fn becomes(&self, name: &str, before: &str, after: &str) {
        loop {
            match self.says(name).await {
                said if said == after => return,
                said => assert_eq!(said, before),
            }
        }
    }

    /// What is told next that is no replacement; those have to be of this function.
    async fn told(&mut self, replaced: &str) -> Followed {
        loop {
            match self.told.recv().await.unwrap() {
                Followed::Replaced { functions, .. } => assert_eq!(functions, [replaced]),
                other => return other,
            }
        }
    }
}

/// Puts a file in its place at once, so that nobody sees a part of it.
fn write(folder: &Path, file: &str, text: &str) {
    let (file, new) = (folder.join(file), folder.join(".new"));
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&new, text).unwrap();
    fs::rename(new, file).unwrap();
}

fn of(name: &str, code: Code, handler: &str) -> Function {
    let mut function = function();
    (function.name, function.handler, function.code) = (name.to_owned(), handler.to_owned(), code);
    function.environment.clear();
    function
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_is_built_anew_and_keeps_running_until_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(root, "Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"one\", \"two\"]\n");
    for name in ["one", "two"] {
        let manifest = format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
        write(root, &format!("{name}/Cargo.toml"), &manifest);
        write(root, &format!("{name}/src/main.rs"), &PROGRAM.replace("ANSWER", "1"));
    }
    let functions =
        ["one", "two"].map(|name| of(name, Code::Cargo { package_dir: root.join(name), binary: None }, "bootstrap"));
    let options = BuildOptions { target_dir: Some(root.join("target")), ..BuildOptions::default() };
    let mut stage = Stage::of(functions.to_vec(), &[], options).await;
    assert_eq!((stage.says("one").await, stage.says("two").await), ("1".to_owned(), "1".to_owned()));

    write(root, "one/src/main.rs", &PROGRAM.replace("ANSWER", "2"));
    stage.becomes("one", "1", "2").await;
    assert_eq!(stage.says("two").await, "1");

    // What does not compile changes nothing.
    write(root, "one/src/main.rs", "fn main() { unknown_name() }");
    let Followed::Kept(error) = stage.told("one").await else { panic!("it was built") };
    assert!(error.to_string().contains("cannot find function `unknown_name`"), "{error}");
    assert_eq!(stage.says("one").await, "2");

    write(root, "one/src/main.rs", &PROGRAM.replace("ANSWER", "3"));
    stage.becomes("one", "2", "3").await;

    // The names that kept the builds go with them.
    stage.following.abort();
    stage.lambda.shutdown().await;
    drop(stage);
    let left = fs::read_dir(root.join("target/debug")).unwrap().map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = left.filter(|name| name.to_string_lossy().starts_with(".stairwell-")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_is_another_one_as_soon_as_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let (root, template) = (folder.path(), folder.path().join("template.yaml"));
    let module = |answer: u32| format!("def handler(event, context): return {answer}");
    write(root, "src/app.py", &module(1));
    write(root, "template.yaml", "Resources: {}");
    let code = Code::Scripts { language: Language::Python { minor: 13 }, folder: root.join("src"), packages: None };
    let functions = vec![of("script", code, "app.handler")];
    let mut stage = Stage::of(functions, &[&template], BuildOptions::default()).await;
    assert_eq!(stage.says("script").await, "1");
    for answer in 2..5 {
        write(root, "src/app.py", &module(answer));
        stage.becomes("script", &(answer - 1).to_string(), &answer.to_string()).await;
    }
    // A folder that is new is watched as well.
    write(root, "src/parts/number.py", "answer = 7");
    write(root, "src/app.py", "from parts.number import answer\ndef handler(event, context): return answer");
    stage.becomes("script", "4", "7").await;
    write(root, "src/parts/number.py", "answer = 8");
    stage.becomes("script", "7", "8").await;
    write(root, "template.yaml", "Resources: {A: b}");
    let told = stage.told("script").await;
    assert!(matches!(&told, Followed::Other(path) if path.ends_with("template.yaml")), "{told:?}");
    write(root, "src/app.py", "def handler(event, context) return answer");
    let Followed::Kept(error) = stage.told("script").await else { panic!("it can't be run") };
    assert!(error.to_string().contains("src/app.py:1: "), "{error}");
    stage.following.abort();
}

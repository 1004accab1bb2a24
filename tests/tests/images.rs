//! The images workflow, from an image put into the bucket to its contact sheet.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::fs;

use end_to_end::{Ended, Runner, project};
use serde_json::{Value, json};

fn sample(name: &str) -> Vec<u8> {
    fs::read(project().join("samples").join(name)).unwrap()
}

/// Puts an image and waits for the end of the execution that the trigger starts.
async fn put_and_wait(runner: &Runner, key: &str, image: Vec<u8>) -> Ended {
    runner.put("DataBucket", key, image).await;
    let arn = runner.started(|input| input["key"] == key).await;
    runner.ended(&arn).await
}

/// The names, formats and sizes of results.
fn results(list: &Value) -> Vec<(&str, &str, u64, u64)> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|result| {
            let key = result["key"].as_str().unwrap();
            let name = key.rsplit('/').next().unwrap();
            let side = |name: &str| result[name].as_u64().unwrap();
            (name, result["format"].as_str().unwrap(), side("width"), side("height"))
        })
        .collect()
}

/// The names of the states that were entered.
fn states(runner: &Runner, execution: &str) -> Vec<String> {
    let entered = |line: &Value| line["event"]["stateEnteredEventDetails"]["name"].as_str().map(str::to_owned);
    runner.lines_of(execution).iter().filter_map(entered).collect()
}

#[tokio::test]
async fn an_image_is_converted_scaled_and_analysed() {
    let runner = Runner::shared().await;
    let key = "images/all/größe & <b>.jpg";
    let ended = put_and_wait(&runner, key, sample("harbour.jpg")).await;
    assert_eq!(
        (ended.status.as_str(), &ended.output["Message"]),
        ("SUCCEEDED", &json!("Image processed")),
        "{ended:?}"
    );

    // It is stored on its side; all results are upright.
    let converted = [("full.png", "png", 2048, 1536), ("full.webp", "webp", 2048, 1536)];
    assert_eq!(results(&ended.output["converted"]), converted);
    let scaled = [
        ("1920.webp", "webp", 1920, 1440),
        ("1280.webp", "webp", 1280, 960),
        ("640.webp", "webp", 640, 480),
        ("320.webp", "webp", 320, 240),
    ];
    assert_eq!(results(&ended.output["scaled"]), scaled);
    let folder = format!("processed/{key}/{}/", ended.output["image"]["eTag"].as_str().unwrap().trim_matches('"'));
    for result in ["converted", "scaled"].iter().flat_map(|list| ended.output[list].as_array().unwrap()) {
        let key = result["key"].as_str().unwrap();
        assert!(key.starts_with(&folder), "{key}");
        let file = runner.get("DataBucket", key).await.unwrap();
        assert_eq!(result["bytes"], file.len());
        let has = |text: &[u8]| file.windows(text.len()).any(|window| window == text);
        assert!(!has(b"Stairwell Optics") && !has(b"Exif"), "{key} has metadata");
    }

    let analysis = &ended.output["analysis"];
    assert_eq!((&analysis["turned"], &analysis["transparent"]), (&json!(true), &json!(false)), "{analysis}");
    assert!(analysis["colours"].as_array().is_some_and(|colours| (3..=5).contains(&colours.len())), "{analysis}");
    assert_eq!(ended.output["detected"], json!({"labels": []}));

    let sheet = &ended.output["contactSheet"];
    assert_eq!(sheet["key"], format!("{folder}contact-sheet.html"));
    let page = runner.get("DataBucket", sheet["key"].as_str().unwrap()).await.unwrap();
    let page = String::from_utf8(page).unwrap();
    assert_eq!(page.matches("<figure><img alt=\"\" src=\"data:image/webp;base64,UklGR").count(), 6, "{page}");
    assert!(page.contains("<h1>größe &amp; &lt;b&gt;.jpg</h1>"), "{page}");
}

#[tokio::test]
async fn images_that_look_alike_are_found() {
    let runner = Runner::up(["--ephemeral"]).await;
    let large = put_and_wait(&runner, "images/large.jpg", sample("harbour.jpg")).await;
    assert_eq!(large.output["analysis"]["nearDuplicates"], json!([]), "{large:?}");
    let small = put_and_wait(&runner, "images/small.webp", sample("harbour-small.webp")).await;
    let near = &small.output["analysis"]["nearDuplicates"];
    assert_eq!((near.as_array().map(Vec::len), &near[0]["key"]), (Some(1), &json!("images/large.jpg")), "{small:?}");
    let page = runner.get("DataBucket", small.output["contactSheet"]["key"].as_str().unwrap()).await.unwrap();
    assert!(String::from_utf8(page).unwrap().contains("/images/large.jpg, "));
    // An image smaller than a resolution is not scaled up.
    assert_eq!(results(&small.output["scaled"]), [("640.webp", "webp", 640, 480), ("320.webp", "webp", 320, 240)]);
    assert_eq!(results(&small.output["converted"]), [("full.jpg", "jpeg", 800, 600), ("full.png", "png", 800, 600)]);

    // One that is gone is not told, nor is the image itself.
    runner.s3().delete_object().bucket(runner.bucket("DataBucket")).key("images/large.jpg").send().await.unwrap();
    let again = runner.execute("Images", &json!({"key": "images/small.webp"})).await;
    assert_eq!(again.output["analysis"]["nearDuplicates"], json!([]), "{again:?}");
    assert_eq!(again.output["scaled"], small.output["scaled"]);
}

#[tokio::test]
async fn a_file_that_is_no_usable_image_fails_by_name() {
    let runner = Runner::shared().await;
    let cut = |name: &str| {
        let mut file = sample(name);
        file.truncate(file.len() * 2 / 3);
        file
    };
    let mut damaged = sample("bomb.png");
    // The header says that it is small, and its checksum says that the header is damaged.
    damaged[16..24].copy_from_slice(&[0, 0, 0, 9, 0, 0, 0, 9]);
    for (name, file, error) in [
        ("empty.jpg", Vec::new(), "EmptyFile"),
        ("text.jpg", b"This is no picture.".to_vec(), "UnsupportedFormat"),
        ("harbour.png", sample("harbour.jpg"), "WrongExtension"),
        ("harbour", sample("harbour.jpg"), "WrongExtension"),
        ("bomb.png", sample("bomb.png"), "PictureTooLarge"),
        ("cut.jpg", cut("harbour.jpg"), "TruncatedFile"),
        ("cut.webp", cut("harbour-small.webp"), "TruncatedFile"),
        ("damaged.png", damaged, "CorruptFile"),
    ] {
        let key = format!("images/unusable/{name}");
        let ended = put_and_wait(&runner, &key, file).await;
        assert_eq!((ended.status.as_str(), ended.error.as_str()), ("FAILED", error), "{name}: {ended:?}");
        assert_eq!(states(&runner, &ended.arn).last().unwrap(), "Image Not Usable", "{name}");
        let prefix = format!("processed/{key}/");
        let bucket = runner.bucket("DataBucket");
        let left = runner.s3().list_objects_v2().bucket(bucket).prefix(prefix).send().await.unwrap();
        assert_eq!(left.key_count(), Some(0), "{name}: {left:?}");
    }
}

#[tokio::test]
async fn an_input_that_names_no_image_fails_by_name() {
    let runner = Runner::shared().await;
    for (input, error) in [
        (json!({"key": "images/missing.jpg"}), "ObjectNotFound"),
        (json!({"bucket": "there-is-no-such-bucket", "key": "a.jpg"}), "BucketNotFound"),
        (json!({}), "InvalidInput"),
        (json!({"key": ""}), "InvalidInput"),
        (json!({"key": 7}), "InvalidInput"),
        (json!({"bucket": null, "key": "images/a.jpg"}), "InvalidInput"),
        (json!([]), "InvalidInput"),
        (json!("images/a.jpg"), "InvalidInput"),
    ] {
        let ended = runner.execute("Images", &input).await;
        assert_eq!((ended.status.as_str(), ended.error.as_str()), ("FAILED", error), "{input}: {ended:?}");
    }
}

/// A runner that asks for labels, with the answers of Rekognition and of functions in the test cases of a mock configuration.
async fn with_answers(folder: &tempfile::TempDir, cases: Value, answers: Value) -> Runner {
    let file = folder.path().join("mocks.json");
    let mocks = json!({"StateMachines": {"Images": {"TestCases": cases}}, "MockedResponses": answers});
    fs::write(&file, mocks.to_string()).unwrap();
    let arguments = ["--ephemeral", "--parameter-overrides", "DetectLabels=true", "--mocks"];
    Runner::up(arguments.map(Into::into).into_iter().chain([file.into_os_string()])).await
}

async fn case(runner: &Runner, case: &str, key: &str) -> Ended {
    let machine = format!("{}#{case}", runner.state_machine("Images"));
    let request = runner.sfn().start_execution().state_machine_arn(machine);
    let arn = request.input(json!({ "key": key }).to_string()).send().await.unwrap().execution_arn;
    runner.ended(&arn).await
}

#[tokio::test]
async fn labels_are_told_where_they_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let runner = with_answers(
        &folder,
        json!({
            "Found": {"Detect Labels": "Found"},
            "Nothing": {"Detect Labels": "Nothing"},
            "Refused": {"Detect Labels": "Refused"},
        }),
        json!({
            "Found": {"0": {"Return": {"Labels": [
                {"Name": "Harbor <1>", "Confidence": 98.25, "Parents": [{"Name": "Water"}]},
                {"Name": "Boat", "Confidence": 91.5},
            ]}}},
            "Nothing": {"0": {"Return": {"Labels": []}}},
            "Refused": {"0": {"Throw": {"Error": "Rekognition.InvalidImageFormatException", "Cause": "no"}}},
        }),
    )
    .await;
    runner.put("DataBucket", "elsewhere/harbour.jpg", sample("harbour.jpg")).await;
    runner.put("DataBucket", "elsewhere/small.webp", sample("harbour-small.webp")).await;
    let labels = json!([{"name": "Harbor <1>", "confidence": 98.25}, {"name": "Boat", "confidence": 91.5}]);
    for (test_case, key, detected, last) in [
        ("Found", "elsewhere/harbour.jpg", json!({"labels": labels}), "Detect Labels"),
        ("Nothing", "elsewhere/harbour.jpg", json!({"labels": []}), "Detect Labels"),
        (
            "Refused",
            "elsewhere/harbour.jpg",
            json!({"labels": [], "error": "Rekognition.InvalidImageFormatException"}),
            "Labels Not Detected",
        ),
        // Rekognition does not take WebP.
        ("Found", "elsewhere/small.webp", json!({"labels": []}), "No Labels"),
    ] {
        let ended = case(&runner, test_case, key).await;
        assert_eq!(
            (ended.status.as_str(), &ended.output["detected"]),
            ("SUCCEEDED", &detected),
            "{test_case}: {ended:?}"
        );
        assert!(states(&runner, &ended.arn).iter().any(|state| state == last), "{test_case}");
        let page = runner.get("DataBucket", ended.output["contactSheet"]["key"].as_str().unwrap()).await.unwrap();
        let page = String::from_utf8(page).unwrap();
        assert_eq!(page.contains("<li>Harbor &lt;1&gt; (98 %)</li>"), detected["labels"] == labels, "{test_case}");
    }
}

#[tokio::test]
async fn every_error_of_a_function_ends_in_the_state_that_says_what_it_means() {
    let folder = tempfile::tempdir().unwrap();
    let cases = [
        ("Changed", "Convert", "ObjectChanged", "Image Changed"),
        ("Gone", "Scale", "ObjectNotFound", "Image Not Found"),
        ("NoTable", "Analyze", "TableNotFound", "Not Set Up"),
        ("Denied", "Scale", "AccessDenied", "Not Set Up"),
        ("Late", "Analyze", "TimedOut", "Processing Failed"),
        ("Replaced", "Check Results", "ResultNotUsable", "Results Not Usable"),
        ("Mixed", "Check Results", "ResultsDiffer", "Results Not Usable"),
        ("NoBucket", "Check Results", "BucketNotFound", "Not Set Up"),
        ("Faulty", "Check Results", "InternalError", "Processing Failed"),
        ("Head", "Find Image", "S3.S3Exception", "Processing Failed"),
    ];
    let mut test_cases = json!({});
    let mut answers = json!({});
    for (name, state, error, _) in cases {
        test_cases[name][state] = name.into();
        // As often as it is tried.
        answers[name] = json!({"0-5": {"Throw": {"Error": error, "Cause": "said by the test"}}});
    }
    let runner = with_answers(&folder, test_cases, answers).await;
    runner.put("DataBucket", "elsewhere/small.webp", sample("harbour-small.webp")).await;
    for (name, _, error, last) in cases {
        let ended = case(&runner, name, "elsewhere/small.webp").await;
        assert_eq!((ended.status.as_str(), ended.error.as_str()), ("FAILED", error), "{name}: {ended:?}");
        assert_eq!(states(&runner, &ended.arn).last().unwrap(), last, "{name}");
    }
}

#[tokio::test]
async fn every_event_of_the_folder_ends_as_its_name_says() {
    let runner = Runner::up(["--ephemeral"]).await;
    put_and_wait(&runner, "images/harbour.jpg", sample("harbour.jpg")).await;
    for (file, end) in [("harbour", "Image processed"), ("missing", "ObjectNotFound"), ("no-key", "InvalidInput")] {
        let event = fs::read_to_string(project().join(format!("events/images/{file}.json"))).unwrap();
        let ended = runner.execute("Images", &serde_json::from_str(&event).unwrap()).await;
        let said = if ended.error.is_empty() { ended.output["Message"].as_str().unwrap() } else { &ended.error };
        assert_eq!(said, end, "{file}: {ended:?}");
    }
}

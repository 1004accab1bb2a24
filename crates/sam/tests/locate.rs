//! Places of definitions in their files.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::fs;

use sam::{LoadOptions, load};

const TEMPLATE: &str = r#"
Transform: AWS::Serverless-2016-10-31
Resources:
  Bucket: {Type: AWS::S3::Bucket}
  Machine:
    Type: AWS::Serverless::StateMachine
    Properties:
      Definition:
        StartAt: First
        States:
          First:
            Type: Task
            Resource: !GetAtt Bucket.Arn
            TimeoutSeconds: [1]
            Retry: {a: 1}
            Catch:
              b: 1
            Comment: "quoted"
            Result:
            Next: {"Ref": Bucket}
          First/Retry[0]: {Type: Succeed}
"#;

#[test]
fn a_value_is_shown_itself_where_it_is_on_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("template.yaml");
    fs::write(&file, TEMPLATE).unwrap();
    let application = load(&file, &LoadOptions::default()).unwrap();
    let written = application.written_definition(&application.state_machines[0]).unwrap();
    for (place, shown) in [
        ("/StartAt", "First"),
        ("/States/First", "First"),
        ("/States/First/Resource", "!GetAtt Bucket.Arn"),
        ("/States/First/TimeoutSeconds", "[1]"),
        ("/States/First/Retry", "{a: 1}"),
        ("/States/First/Catch", "Catch"),
        ("/States/First/Catch/b", "1"),
        ("/States/First/Comment", "\"quoted\""),
        ("/States/First/Result", "Result"),
        ("/States/First/Next", "{\"Ref\": Bucket}"),
        ("/States/First/Retry[0]/Type", "Succeed"),
        ("/States/First/Retry[1]", "{a: 1}"),
    ] {
        let location = written.locate(place);
        assert_eq!(&location.source()[location.offset..][..location.length], shown, "{place}");
    }
}

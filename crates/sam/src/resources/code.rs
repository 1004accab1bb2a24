//! Where the code of a function is, and what runs it.

use std::path::{Path, PathBuf};

use crate::{
    Code, Language, cargo,
    problem::ProblemKind,
    properties::Properties,
    resources::asset::{self, Asset},
    suggest::closest,
    template::{Reported, Template},
    yaml::Node,
};

/// Where the SAM command line puts what it has built, beside the template.
pub(crate) const BUILT: &str = ".aws-sam/build";

/// What the names of Lambda's runtimes begin with, those of the past and those to come.
const FAMILIES: [&str; 7] = ["dotnet", "go1.x", "java", "nodejs", "provided", "python", "ruby"];

/// Runtimes that somebody may mean.
const RUNTIMES: [&str; 15] = [
    "dotnet8",
    "java17",
    "java21",
    "nodejs18.x",
    "nodejs20.x",
    "nodejs22.x",
    "nodejs24.x",
    "provided.al2",
    "provided.al2023",
    "python3.10",
    "python3.11",
    "python3.12",
    "python3.13",
    "python3.14",
    "ruby3.4",
];

/// Reads the properties and the metadata that say it.
pub(crate) fn read(properties: &Properties, id: &str, metadata: Option<&Node>) -> Result<Code, Reported> {
    if properties.has("ImageUri") || properties.text("PackageType").as_deref() == Some("Image") {
        return Ok(not_here("it is a container's image, and the runner starts no containers"));
    }
    // SAM and Lambda want both of every function that is no image, also where the runtime makes no use of the handler.
    let handler = properties.required_text("Handler").ok_or(Reported);
    let code = of_runtime(properties, id, metadata);
    handler.and(code)
}

/// The code of a function that is no image, by its runtime.
fn of_runtime(properties: &Properties, id: &str, metadata: Option<&Node>) -> Result<Code, Reported> {
    let runtime = properties.required_text("Runtime").ok_or(Reported)?;
    let build = BuildMethod::read(properties, id, metadata);
    if runtime.starts_with("provided") {
        return provided(properties, id, metadata, &build);
    }
    match Language::of_runtime(&runtime) {
        Some(language) => script(properties, id, language, metadata, &build),
        None if !FAMILIES.iter().any(|family| runtime.starts_with(family)) => {
            let meant = closest(&runtime, RUNTIMES).map(|runtime| format!(": did you mean `{runtime}`?"));
            let reason = format!("Lambda has no such runtime{}", meant.unwrap_or_default());
            Err(properties.refuse("Runtime", &runtime, &reason))
        }
        None => Ok(not_here(&format!(
            "its runtime is `{runtime}`, and functions with a `provided`, `python3` or `nodejs` runtime run here"
        ))),
    }
}

fn not_here(reason: &str) -> Code {
    Code::NotHere { reason: reason.to_owned() }
}

/// `Metadata.BuildMethod`, with what belongs to it.
struct BuildMethod<'m> {
    name: Option<&'m str>,
    node: Option<&'m Node>,
    properties: Option<&'m Node>,
}

impl<'m> BuildMethod<'m> {
    fn read(properties: &Properties, id: &str, metadata: Option<&'m Node>) -> Self {
        let metadata = metadata.and_then(Node::as_map);
        let field = |name| metadata.and_then(|map| map.get(name)).map(|field| &field.value);
        let node = field("BuildMethod");
        let method = Self { name: node.and_then(Node::as_text), node, properties: field("BuildProperties") };
        if let (Some("rust-cargolambda"), Some(build)) = (method.name, method.properties) {
            check_cargo_build(properties.template, id, build);
        }
        method
    }

    fn refuse(&self, properties: &Properties, id: &str, reason: &str) -> Reported {
        let kind = ProblemKind::UnsupportedValue {
            place: format!("Resources/{id}/Metadata/BuildMethod"),
            value: format!("`{}`", self.name.unwrap_or_default()),
            reason: reason.to_owned(),
        };
        properties.template.report(kind, self.node.map_or(properties.at, |node| node.at))
    }
}

/// A function that is a program of its own.
fn provided(properties: &Properties, id: &str, metadata: Option<&Node>, build: &BuildMethod) -> Result<Code, Reported> {
    let folder = match given(properties, id, metadata)? {
        Given::Folder(folder) => folder,
        Given::Unusable(reason) => return Ok(not_here(&reason)),
        Given::Inline { property, .. } => {
            return Err(properties.refuse_described(property, "given", "inline code is for scripts"));
        }
    };
    match build.name {
        Some("rust-cargolambda") => {
            let binary = build.properties.and_then(|build| build.get("Binary"));
            cargo_code(properties, id, folder, binary)
        }
        None => bootstrap_code(properties, id, &folder),
        Some(_) => Err(build.refuse(properties, id, "the runner builds with `rust-cargolambda`")),
    }
}

/// A function that an interpreter runs.
///
/// It runs from its sources. What `sam build` has built is where the packages are found that it needs, or where the function
/// itself is if its build translates it, as `esbuild` does.
fn script(
    properties: &Properties,
    id: &str,
    language: Language,
    metadata: Option<&Node>,
    build: &BuildMethod,
) -> Result<Code, Reported> {
    let folder = match given(properties, id, metadata)? {
        Given::Inline { text, .. } => return Ok(Code::Inline { language, text }),
        Given::Folder(folder) => folder,
        Given::Unusable(reason) => return Ok(not_here(&reason)),
    };
    let built = Some(properties.template.folder().join(BUILT).join(id)).filter(|built| built.is_dir());
    match (build.name, built) {
        (Some("rust-cargolambda"), _) => {
            Err(build.refuse(properties, id, &format!("the runtime is `{}`", language.runtime())))
        }
        (None, packages) => Ok(Code::Scripts { language, folder, packages }),
        (Some(method), packages) if Language::of_runtime(method).is_some() => {
            Ok(Code::Scripts { language, folder, packages })
        }
        (Some(_), Some(built)) => Ok(Code::Scripts { language, folder: built, packages: None }),
        (Some(method), None) => {
            let reason = format!("its build method is `{method}`: run `sam build` first");
            let kind = ProblemKind::MissingCode { function: id.to_owned(), reason };
            Err(properties.template.report(kind, properties.at(property_of_code(properties))))
        }
    }
    .and_then(|code| is_there(properties, id, code))
}

/// That the folder of a function's scripts is one.
fn is_there(properties: &Properties, id: &str, code: Code) -> Result<Code, Reported> {
    match &code {
        Code::Scripts { folder, .. } if !folder.is_dir() => {
            let reason = format!("{} is not a folder", folder.display());
            let kind = ProblemKind::MissingCode { function: id.to_owned(), reason };
            Err(properties.template.report(kind, properties.at(property_of_code(properties))))
        }
        _ => Ok(code),
    }
}

/// What a template says of where code is.
enum Given {
    /// In the template itself, in this property.
    Inline { property: &'static str, text: String },
    /// In a folder.
    Folder(PathBuf),
    /// Where the runner can't use it, with the reason.
    Unusable(String),
}

const ELSEWHERE: &str = "its code is in a bucket of AWS, and the runner has `ZipFile`, or the path of a folder";

/// Reads `InlineCode` and `CodeUri` of SAM, or `Code` of CloudFormation, where a path is what `sam build` and `aws
/// cloudformation package` take, and a place in a bucket may have the files that the CDK would put there.
fn given(properties: &Properties, id: &str, metadata: Option<&Node>) -> Result<Given, Reported> {
    let folder = |uri: &str| Given::Folder(properties.template.folder().join(uri.trim_end_matches('/')));
    if property_of_code(properties) == "CodeUri" {
        return match properties.text("InlineCode") {
            Some(text) => Ok(Given::Inline { property: "InlineCode", text }),
            None => properties.required_text("CodeUri").map(|uri| folder(&uri)).ok_or(Reported),
        };
    }
    if properties.raw("Code").is_some_and(|code| code.as_text().is_some()) {
        return properties.text("Code").map(|uri| folder(&uri)).ok_or(Reported);
    }
    let code = properties.inner("Code").ok_or(Reported)?;
    code.check_names("Code", &["ImageUri", "S3Bucket", "S3Key", "S3ObjectVersion", "SourceKMSKeyArn", "ZipFile"]);
    if let Some(text) = code.text("ZipFile") {
        return Ok(Given::Inline { property: "Code", text });
    }
    match asset::of(properties.template, metadata, "Code") {
        Some(Asset::Folder(folder)) => Ok(Given::Folder(folder)),
        Some(Asset::File(file)) => {
            let file = file.display();
            Ok(Given::Unusable(format!("its code is the archive {file}, and the runner has the path of a folder")))
        }
        Some(Asset::Missing(path)) => {
            let reason = format!("{} is not there: run `cdk synth`", path.display());
            Err(properties
                .template
                .report(ProblemKind::MissingCode { function: id.to_owned(), reason }, properties.at("Code")))
        }
        None => Ok(Given::Unusable(ELSEWHERE.to_owned())),
    }
}

/// The property that says where code is.
fn property_of_code(properties: &Properties) -> &'static str {
    if properties.has("Code") { "Code" } else { "CodeUri" }
}

/// The build looks at `Binary` alone.
fn check_cargo_build(template: &Template, id: &str, build: &Node) {
    let place = format!("Resources/{id}/Metadata/BuildProperties");
    let Some(map) = template.map_or_nothing(build, &place) else {
        return;
    };
    let build = Properties::over(template, place, build.at, map);
    build.check_names("BuildProperties", &["Binary", "Flags"]);
    if build.has("Flags") {
        let reason = "The runner builds with the package's default features and without flags.";
        template.leave_out(build.place_of("Flags"), "AWS::Serverless::Function", reason);
    }
}

fn cargo_code(
    properties: &Properties,
    id: &str,
    package_dir: PathBuf,
    binary: Option<&Node>,
) -> Result<Code, Reported> {
    let at = properties.at(property_of_code(properties));
    let missing = |reason| properties.template.report(ProblemKind::MissingCode { function: id.to_owned(), reason }, at);
    let available = cargo::binaries(&package_dir).map_err(missing)?;
    let handler = properties.text("Handler").filter(|handler| handler != "bootstrap");
    let named = binary.and_then(Node::as_text).map(str::to_owned).or(handler);
    let at = binary.map_or(at, |binary| binary.at);
    let kind = match named {
        Some(name) if available.contains(&name) => return Ok(Code::Cargo { package_dir, binary: Some(name) }),
        Some(name) => ProblemKind::MissingBinary { package: package_dir, binary: name, available },
        None if available.len() == 1 => return Ok(Code::Cargo { package_dir, binary: available.into_iter().next() }),
        None => ProblemKind::UnnamedBinary { package: package_dir, available },
    };
    Err(properties.template.report(kind, at))
}

fn bootstrap_code(properties: &Properties, id: &str, folder: &Path) -> Result<Code, Reported> {
    let path = folder.join("bootstrap");
    if path.is_file() {
        return Ok(Code::Bootstrap { path });
    }
    let reason = if folder.join("Cargo.toml").is_file() {
        "the function has no `Metadata` with `BuildMethod: rust-cargolambda`".to_owned()
    } else {
        format!("there is no {}", path.display())
    };
    Err(properties.template.report(
        ProblemKind::MissingCode { function: id.to_owned(), reason },
        properties.at(property_of_code(properties)),
    ))
}

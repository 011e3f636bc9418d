//! The commands of `cargo xtask` that speak to AWS, as processes, in an AWS of the test's own.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use support::OfflineAws;
use support::program::{Printed, finish, named_by};
use support::within;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use xtask::oci::{Account, Image, Layer, Layout, Settings, Tree};

/// A deployment takes seconds here.
const LONGEST: Duration = Duration::from_mins(2);

/// The parameters that these tests deploy with.
const PARAMETERS: &str =
    "preset: small\nparameters:\n  DomainName: proxy.example.com\n  HostedZoneId: Z0123456789EXAMPLE\n";

/// An AWS, a checkout's settings, and an image.
pub(crate) struct Tool {
    pub(crate) aws: OfflineAws,
    folder: TempDir,
    image: PathBuf,
    /// The digest of the image.
    pub(crate) digest: String,
}

impl Tool {
    /// With an image that nobody has pushed yet.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("deployment.yaml"), PARAMETERS).unwrap();
        let (image, digest) = image(folder.path(), "1");
        Self { aws: OfflineAws::with_registry(), folder, image, digest }
    }

    /// From now on with another image.
    pub(crate) fn build_anew(&mut self) {
        (self.image, self.digest) = image(self.folder.path(), "2");
    }

    fn command(&self, verb: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(named_by("OPERATE_BIN"));
        command.arg(verb).args(arguments);
        if matches!(verb, "deploy" | "diff") {
            command.arg("--parameters").arg(self.folder.path().join("deployment.yaml"));
            if !arguments.contains(&"--image") {
                command.arg("--image-layout").arg(&self.image);
            }
        }
        let cargo = ["CARGO", "CARGO_HOME", "RUSTUP_HOME", "CARGO_MANIFEST_DIR"];
        let cargo = cargo.into_iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.env_clear().env("PATH", path).env("HOME", self.folder.path()).envs(cargo);
        command.envs(self.aws.environment());
        command
    }

    /// Runs a command to its end, with nobody at the terminal.
    pub(crate) async fn run(&self, verb: &str, arguments: &[&str]) -> Printed {
        finish(self.command(verb, arguments), self.folder.path(), verb, LONGEST).await
    }

    /// Runs a command that has to end with this code.
    pub(crate) async fn ends_with(&self, code: i32, verb: &str, arguments: &[&str]) -> Printed {
        let printed = self.run(verb, arguments).await;
        assert_eq!(printed.status.code(), Some(code), "{}\n{}", printed.stdout, printed.stderr);
        printed
    }

    /// Deploys without a question, and returns the report.
    pub(crate) async fn deploy(&self, arguments: &[&str]) -> Value {
        let printed = self.ends_with(0, "deploy", &[&["--yes", "--json"], arguments].concat()).await;
        serde_json::from_str(&printed.stdout).unwrap()
    }

    /// Starts a deployment that is going to be interrupted.
    pub(crate) fn begin(&self) -> Running {
        let mut command = self.command("deploy", &["--yes"]);
        command.current_dir(self.folder.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Running(command.kill_on_drop(true).spawn().unwrap())
    }

    /// The stack, as AWS describes it.
    pub(crate) async fn stack(&self) -> Stack {
        let said = self.cloudformation("DescribeStacks", &[("StackName", "claude-code-proxy")]).await;
        Stack(said)
    }

    /// Calls CloudFormation as somebody else would, and returns its XML.
    pub(crate) async fn cloudformation(&self, action: &str, parameters: &[(&str, &str)]) -> String {
        let scope = format!("Credential=x/20260101/{}/cloudformation/aws4_request", self.aws.region());
        let pairs = [&[("Action", action), ("Version", "2010-05-15")], parameters].concat();
        let said = reqwest::Url::parse_with_params(self.aws.url(), pairs).unwrap();
        let call = support::http_client()
            .post(self.aws.url())
            .header("authorization", format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=x"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(said.query().unwrap_or_default().to_owned());
        let answer = call.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{action}: {text}");
        text
    }

    /// The operations that were called, in their order, as far as they are among these.
    pub(crate) async fn order_of(&self, operations: &[&str]) -> Vec<String> {
        let calls = self.aws.calls().await.into_iter().map(|call| call.operation);
        calls.filter(|operation| operations.contains(&operation.as_str())).collect()
    }

    /// Waits until an operation is called once more.
    pub(crate) async fn until_called_again(&self, operation: &str) {
        let before = self.aws.calls_of(operation).await.len();
        within("a call", async {
            while self.aws.calls_of(operation).await.len() == before {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    /// Brings the stack to another template, with its parameters as they are, as somebody else would.
    pub(crate) async fn deploy_template(&self, template: &Value) {
        let region = self.aws.region();
        for (path, body) in [("templates", String::new()), ("templates/other.json", template.to_string())] {
            let scope = "Credential=x/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=x";
            let put = support::http_client().put(format!("{}/{path}", self.aws.url())).body(body);
            let put = put.header("authorization", format!("AWS4-HMAC-SHA256 {scope}")).send().await.unwrap();
            assert!(put.status().is_success(), "{path}: {}", put.text().await.unwrap());
        }
        let url = format!("https://templates.s3.{region}.amazonaws.com/other.json");
        let mut said = vec![
            ("StackName".to_owned(), "claude-code-proxy".to_owned()),
            ("ChangeSetName".to_owned(), "by-hand".to_owned()),
            ("TemplateURL".to_owned(), url),
            ("Capabilities.member.1".to_owned(), "CAPABILITY_IAM".to_owned()),
        ];
        for (number, name) in template["Parameters"].as_object().unwrap().keys().enumerate() {
            let of = |field: &str| format!("Parameters.member.{}.{field}", number + 1);
            said.push((of("ParameterKey"), name.clone()));
            said.push((of("UsePreviousValue"), "true".to_owned()));
        }
        let said: Vec<_> = said.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.cloudformation("CreateChangeSet", &said).await;
        let set = [("StackName", "claude-code-proxy"), ("ChangeSetName", "by-hand")];
        within("a change set", async {
            while !self.cloudformation("DescribeChangeSet", &set).await.contains("<Status>CREATE_COMPLETE") {
                tokio::task::yield_now().await;
            }
        })
        .await;
        self.cloudformation("ExecuteChangeSet", &set).await;
        within("an update by hand", async {
            while self.stack().await.text("StackStatus") != "UPDATE_COMPLETE" {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    /// The logical id of a construct.
    pub(crate) fn id(path: &str) -> String {
        let assembly = stack::proxy_stack::proxy_stack().synth().unwrap();
        let resources = &assembly.template.resources;
        let main = format!("{path}/Resource");
        let found = resources.iter().find(|(_, resource)| resource.origin.path == path || resource.origin.path == main);
        found.unwrap_or_else(|| panic!("no construct is at {path}")).0.clone()
    }
}

/// A deployment under way.
pub(crate) struct Running(Child);

impl Running {
    /// Ctrl-C, which ends it with its own code.
    pub(crate) async fn interrupt(mut self) {
        let pid = i32::try_from(self.0.id().unwrap()).ok().and_then(Pid::from_raw).unwrap();
        // Terminate, as a pipeline does: Ctrl-C may be ignored by whoever has started the tests.
        kill_process(pid, Signal::TERM).unwrap();
        assert_eq!(within("an interrupted deployment to end", self.0.wait()).await.unwrap().code(), Some(130));
    }
}

/// The description of a stack.
#[derive(Debug)]
pub(crate) struct Stack(String);

impl Stack {
    /// The text of an element.
    pub(crate) fn text(&self, element: &str) -> &str {
        let rest = self.0.split_once(&format!("<{element}>")).map_or("", |(_, rest)| rest);
        rest.split_once("</").map_or("", |(text, _)| text)
    }

    /// The value of a parameter.
    pub(crate) fn parameter(&self, name: &str) -> &str {
        let rest = self.0.split_once(&format!("<ParameterKey>{name}</ParameterKey>")).map_or("", |(_, rest)| rest);
        let rest = rest.split_once("<ParameterValue>").map_or("", |(_, rest)| rest);
        rest.split_once("</").map_or("", |(text, _)| text)
    }
}

/// The smallest image that a registry takes.
fn image(folder: &Path, version: &str) -> (PathBuf, String) {
    let settings = Settings {
        architecture: "amd64",
        created: "2026-01-01T00:00:00Z".to_owned(),
        entrypoint: vec!["/program".to_owned()],
        arguments: Vec::new(),
        environment: Vec::new(),
        working_folder: "/".to_owned(),
        port: 8000,
        volume: "/var/lib/program".to_owned(),
        account: Account(10001),
        labels: [("org.opencontainers.image.version".to_owned(), version.to_owned())].into(),
    };
    let layer = Layer::pack("program", &Tree::default().file("/program", 0o755, version)).unwrap();
    let image = Image::new(&settings, vec![layer]).unwrap();
    let at = folder.join(format!("image-{version}"));
    let layout = Layout::write(&at, &image, "claude-code-proxy:test").unwrap();
    (at, layout.digest().to_string())
}

/// What a task logs, as the app does.
pub(crate) fn log_line(level: &str, message: &str) -> String {
    json!({ "timestamp": "2026-01-02T03:04:05.678Z", "level": level, "message": message }).to_string()
}

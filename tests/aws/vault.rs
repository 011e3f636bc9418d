//! Bedrock keys under AWS KMS: what is bound to what, what an outage does, and the way there from a key file.

mod away;
mod rewrap;
mod sealed;

use claude_code_proxy::vault::KmsVault;
use serde_json::json;
use support::evidence::secret;
use support::process::run;
use support::{Client, Surroundings};

use crate::moto::Moto;

pub(crate) const ALIAS: &str = "alias/claude-code-proxy";

/// Makes a key, to which the alias leads from now on, and says its ARN.
pub(crate) async fn new_key(moto: &Moto) -> String {
    let kms = |verb: &str| format!("TrentService.{verb}");
    let made = moto.call("kms", &kms("CreateKey"), json!({})).await;
    let id = &made["KeyMetadata"]["KeyId"];
    let aliases = moto.call("kms", &kms("ListAliases"), json!({})).await;
    let known = aliases["Aliases"].as_array().unwrap().iter().any(|alias| alias["AliasName"] == ALIAS);
    let verb = kms(if known { "UpdateAlias" } else { "CreateAlias" });
    moto.call("kms", &verb, json!({"AliasName": ALIAS, "TargetKeyId": id})).await;
    made["KeyMetadata"]["Arn"].as_str().unwrap().to_owned()
}

/// A vault of this test's own, whose KMS is at `url`.
async fn vault(moto: &Moto, url: &str) -> KmsVault {
    let config = moto.config(url).await;
    KmsVault::new(ALIAS.to_owned(), async { config })
}

/// Issues an access key by the command line, for requests that go to Bedrock, and says which Bedrock key it has.
async fn issue(around: &Surroundings) -> (String, String) {
    let bedrock_key = secret(format!("bedrock-api-key-of-tests-{}", uuid::Uuid::new_v4().simple()));
    let arguments = ["key", "issue", "--user", "ada", "--routing", "bedrock_only", "--bedrock-key-stdin"];
    let output = run(&arguments, around.environment(), &bedrock_key).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let key = secret(String::from_utf8(output.stdout).unwrap().trim().to_owned());
    (key, bedrock_key)
}

/// A client with this access key.
fn client(url: &str, key: &str) -> Client {
    Client::at(format!("{url}/ak/{key}"))
}

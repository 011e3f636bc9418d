//! Follows the secrets that may change while `serve` runs: a new one needs no restart.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};

use crate::admin::Entrance;
use crate::app::App;
use crate::aws::Secrets;
use crate::config::{AdminCredentials, Environment, Live, PlanConfig, SecretName, SecretSettings};
use crate::domain::Secret;
use crate::store::Database;
use crate::telemetry::standing::Standing;
use crate::upstream::plan::key_header;

/// How often a secret is read when all is well.
const READ_EVERY: Duration = Duration::from_mins(5);
/// How often it is tried whether the database's login still works; when it does not, the secret is read at once.
const TRY_EVERY: Duration = Duration::from_secs(5);

/// The tasks, one for each secret; they end with this value.
#[derive(Debug)]
pub(super) struct Rotation(#[expect(dead_code, reason = "held for its drop, which ends the tasks")] JoinSet<()>);

impl Rotation {
    /// Starts to follow what the app lets be replaced, which was made of the settings that are `known`.
    pub(super) fn start(
        secrets: &Secrets,
        known: &SecretSettings,
        hasher_secret: Secret,
        standing: &Standing,
        app: &App,
    ) -> Self {
        let mut tasks = JoinSet::new();
        let source = |secret| Source::new(secrets, secret, known, standing);
        if let Some(source) = source(SecretName::Database) {
            tasks.spawn(follow_login(source, app.databases()));
        }
        if let Some(source) = source(SecretName::PlanApiKey) {
            let read = |env: &mut Environment<'_>| PlanConfig::default_key(env).and_then(|key| key_header(&key).ok());
            tasks.spawn(follow(source, app.plan_key(), read, "the plan's key has changed"));
        }
        if let Some(source) = source(SecretName::AdminCredentials) {
            let read = move |env: &mut Environment<'_>| Entrance::new(&hasher_secret, AdminCredentials::read(env));
            let told = "the administrator's name or password has changed; the tokens from before are over";
            tasks.spawn(follow(source, app.entrance(), read, told));
        }
        Self(tasks)
    }
}

/// One secret, and what was last read there.
struct Source {
    secrets: Secrets,
    secret: SecretName,
    known: SecretSettings,
    failing: bool,
    standing: Standing,
}

impl Source {
    /// `None` where the environment has the last word.
    fn new(secrets: &Secrets, secret: SecretName, known: &SecretSettings, standing: &Standing) -> Option<Self> {
        let in_environment = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        if secret.variables().iter().any(in_environment) {
            return None;
        }
        let own = known.iter().filter(|(name, _)| secret.variables().contains(name));
        let known = own.map(|(name, value)| (*name, value.clone())).collect();
        Some(Self { secrets: secrets.clone(), secret, known, failing: false, standing: standing.clone() })
    }

    /// What the secret says, if that is something else than before.
    async fn look(&mut self) -> Option<SecretSettings> {
        let read = self.secrets.settings(&[self.secret]).await;
        self.standing.note(read.is_ok());
        let settings = match read {
            Ok(settings) => settings,
            Err(error) => {
                if !std::mem::replace(&mut self.failing, true) {
                    tracing::warn!(%error, "a secret cannot be looked up; what is known stays");
                }
                return None;
            }
        };
        self.failing = false;
        if same(&settings, &self.known) {
            return None;
        }
        self.known.clone_from(&settings);
        Some(settings)
    }
}

fn same(one: &SecretSettings, other: &SecretSettings) -> bool {
    let has = |(name, value): (&&str, &Secret)| other.get(name).is_some_and(|known| known.expose() == value.expose());
    one.len() == other.len() && one.iter().all(has)
}

/// Follows what is a setting of the app, and says so when it has changed.
async fn follow<T>(mut source: Source, live: Live<T>, read: impl Fn(&mut Environment<'_>) -> T, told: &'static str) {
    live.looked(None);
    loop {
        live.due(READ_EVERY).await;
        let value = source.look().await.and_then(|settings| read_whole(settings, &read));
        if value.is_some() {
            tracing::info!("{told}");
        }
        live.looked(value);
    }
}

/// Reads a setting. A wrong one is told, and nothing comes of it.
fn read_whole<T>(settings: SecretSettings, read: impl Fn(&mut Environment<'_>) -> T) -> Option<T> {
    let mut env = Environment::of_process_and(settings);
    let value = read(&mut env);
    match env.finish() {
        Ok(()) => Some(value),
        Err(error) => {
            tracing::error!(%error, "a secret was changed into something that cannot be used; what is known stays");
            None
        }
    }
}

/// Follows the database's login. New connections use a new one; those that are there go on.
async fn follow_login(mut source: Source, databases: Vec<Database>) {
    let mut tries = tokio::time::interval(TRY_EVERY);
    tries.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut read = Instant::now();
    loop {
        tries.tick().await;
        let Some(first) = databases.first() else { return };
        if read.elapsed() < READ_EVERY && !first.refuses_login().await {
            continue;
        }
        read = Instant::now();
        let Some(url) = source.look().await.and_then(|settings| settings.into_values().next()) else { continue };
        if databases.iter().all(|database| database.log_in_with(&url).is_ok()) {
            tracing::info!("the database's login has changed; new connections use the new one");
        }
    }
}

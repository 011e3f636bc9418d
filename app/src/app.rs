//! Puts the service together and runs it: the same for production and for tests.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use futures_util::Stream;
use tokio::net::TcpListener;
use tokio::sync::SetOnce;

use crate::admin::{Admin, Entrance, Expiry, Logins, SharedAdmin, Turns};
use crate::auth::{self, Directory, KeyHasher, LastUsed, LastUsedTask};
use crate::changes::{Changes, ChangesTask};
use crate::config::{Config, DatabaseConfig, LimitConfig, Live};
use crate::ingress::{self, InFlight, Ingress, RateLimit, SharedIngress, Stages};
use crate::keyring::Keyring;
use crate::meter::{self, Budgets, BudgetsTask, Journal, Prices, Recorder, RecorderTask, Upkeep};
use crate::models::{self, Models};
use crate::relay::{Notices, Relay, Repairs};
use crate::route::circuits::Circuits;
use crate::route::stays::Stays;
use crate::route::watch::watch;
use crate::sharing::{CapabilitySharing, LimitSharing, SharingTask};
use crate::store::{Database, DatabaseState, FollowTask};
use crate::telemetry::standing::Standings;
use crate::upstream::bedrock::native::NativeBedrock;
use crate::upstream::bedrock::probe::KeyProbe;
use crate::upstream::bedrock::{Bedrock, LearnedCapabilities};
use crate::upstream::plan::{Plan, PlanKey};
use crate::upstream::{http_client, http2_client};
use crate::vault::Vault;

/// The service, bound to its port, not serving yet.
pub struct App {
    ingress: SharedIngress,
    admin: SharedAdmin,
    limits: LimitConfig,
    listener: TcpListener,
    address: SocketAddr,
    recorder: RecorderTask,
    prices: Prices,
    budgets: BudgetsTask,
    following: [FollowTask; 2],
    last_used: LastUsedTask,
    upkeep: Upkeep,
    expiry: Expiry,
    sharing: [SharingTask; 2],
    changes: ChangesTask,
    database: Database,
    admin_database: Database,
}

/// Connections of the admin API to PostgreSQL at the most.
const ADMIN_CONNECTIONS: u32 = 4;
/// Time for a statement of the admin API; reports take more and say so themselves.
const ADMIN_STATEMENT: Duration = Duration::from_secs(5);

impl App {
    /// Builds everything and binds the port. Nothing is connected to yet, so that this works while the database is away.
    ///
    /// # Errors
    /// When a setting cannot be used or the port is taken.
    pub async fn build(config: Config, vault: Arc<dyn Vault>, standings: Standings) -> anyhow::Result<Self> {
        let capabilities_file = config.bedrock.capabilities_file.clone().unwrap_or_default();
        let database = Database::open(&config.database)?;
        // Reports take their connections from no developer's request.
        let admin_connections = ADMIN_CONNECTIONS.min(config.database.max_connections);
        let of_admin = DatabaseConfig { max_connections: admin_connections, ..config.database.clone() };
        let admin_database = Database::open_with_timeout(&of_admin, ADMIN_STATEMENT)?;
        let http = http_client(&config.timeouts).context("the HTTP client cannot be made")?;
        let plan_clients = plan_clients(&http, &config)?;
        let hasher =
            KeyHasher::new(&config.keys.hasher_secret).with_previous(config.keys.previous_hasher_secret.as_ref());
        let listen = config.server.listen;
        let listener = TcpListener::bind(listen).await.with_context(|| {
            format!("cannot listen on {listen}; is another process using the port? Set LISTEN_ADDR to another one")
        })?;
        let address = listener.local_addr()?;
        let (models, models_task) = Models::start(database.clone(), models::LOOK_EVERY);
        let (prices, prices_task) = Prices::start(database.clone(), models.followed(), meter::LOOK_EVERY);
        let (budgets, budgets_task) = Budgets::start(database.clone());
        let (recorder, recorder_task) =
            Recorder::start(database.clone(), prices.clone(), budgets.clone(), Journal::open(&config.journal));
        let (last_used, last_used_task) = LastUsed::start(database.clone(), auth::WRITE_EVERY);
        let upkeep = Upkeep::start(database.clone(), config.reports);
        let circuits = Circuits::default();
        let (sharing, sharing_task) = LimitSharing::start(database.clone(), circuits.clone());
        let learned = LearnedCapabilities::default();
        let (capabilities, capabilities_task) =
            CapabilitySharing::start(database.clone(), learned.clone(), config.bedrock.dialect);
        let directory = Directory::new(database.clone(), hasher.clone(), config.keys.cache_ttl);
        let changes = Changes {
            directory: directory.clone(),
            models: models.clone(),
            prices: prices.clone(),
            circuits: circuits.clone(),
            learned: learned.clone(),
            dialect: config.bedrock.dialect,
        };
        let probe = KeyProbe::new(http.clone(), &config.bedrock);
        let relay = Relay {
            directory,
            last_used,
            hasher: hasher.clone(),
            keyring: Keyring::new(Arc::clone(&vault)),
            plan: Plan::new(plan_clients, &config.plan, config.timeouts)
                .context("PLAN_API_KEY cannot be sent as a header")?,
            native: NativeBedrock::new(http.clone(), &config.bedrock, config.timeouts),
            bedrock: Bedrock::new(http, &config.bedrock, config.timeouts)
                .with_context(|| format!("BEDROCK_CAPABILITIES_FILE={} cannot be used", capabilities_file.display()))?,
            models,
            circuits,
            stays: Stays::new(config.timeouts.stay),
            sharing,
            repairs: Repairs { learned, sharing: capabilities, believed_for: config.timeouts.learned },
            notices: Notices::default(),
            recorder,
            budgets,
            meter_plan: config.plan.metered,
            idle: config.timeouts.idle,
            ping_interval: config.timeouts.ping_interval,
        };
        let ingress = Arc::new(Ingress {
            relay,
            database: database.clone(),
            server: config.server,
            timeouts: config.timeouts,
            in_flight: InFlight::new(config.limits.in_flight),
            rate: RateLimit::new(config.limits.key_requests_per_minute),
            stages: Stages::default(),
            opened: SetOnce::new(),
            standings,
        });
        let admin = Arc::new(Admin {
            database: admin_database.clone(),
            entrance: Live::new(Entrance::new(&config.keys.hasher_secret, config.admin.credentials.clone())),
            config: config.admin,
            logins: Logins::default(),
            changes: changes.clone(),
            hasher,
            vault,
            probe,
            turns: Turns::with_half_of(admin_connections),
        });
        Ok(Self {
            ingress,
            admin,
            limits: config.limits,
            listener,
            address,
            recorder: recorder_task,
            prices,
            budgets: budgets_task,
            following: [models_task, prices_task],
            last_used: last_used_task,
            upkeep,
            expiry: Expiry::start(admin_database.clone()),
            sharing: [sharing_task, capabilities_task],
            changes: changes.follow(database.clone()),
            database,
            admin_database,
        })
    }

    /// The pools of connections to the database.
    pub fn databases(&self) -> Vec<Database> {
        vec![self.database.clone(), self.admin_database.clone()]
    }

    /// The plan's key for requests that bring none.
    pub fn plan_key(&self) -> PlanKey {
        self.ingress.relay.plan.default_key()
    }

    /// Who may enter the admin API.
    pub fn entrance(&self) -> Live<Entrance> {
        self.admin.entrance.clone()
    }

    /// Where the service listens, with the real port when port 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the first of the `signals`, then lets running requests finish, writes down their usage, and returns.
    /// A second signal ends the delay in which requests are still taken.
    pub async fn run(self, signals: impl Stream<Item = ()>) {
        let Self {
            ingress,
            admin,
            limits,
            listener,
            address,
            recorder,
            last_used,
            mut upkeep,
            expiry,
            prices,
            mut budgets,
            following,
            sharing,
            changes,
            database,
            admin_database,
        } = self;
        tracing::info!(%address, version = env!("CARGO_PKG_VERSION"), "listening");
        let stages = ingress.stages.clone();
        let watched = watch(ingress.relay.circuits.clone());
        let conducted = async {
            stages.conduct(signals, limits).await;
            std::future::pending::<()>().await;
        };
        let served = async {
            let opened = async {
                tokio::join!(
                    ingress.relay.models.first_look(),
                    prices.first_look(),
                    upkeep.first_look(),
                    budgets.first_look()
                );
                // Nobody has waited in vain: without the database no access key is known yet.
                let _ = ingress.opened.set(());
                std::future::pending::<()>().await;
            };
            tokio::select! {
                () = ingress::serve(listener, Arc::clone(&ingress), admin, limits) => {}
                () = opened => {}
                () = conducted => {}
                () = watched => {}
            }
        };
        let reported = async {
            report_state(&database).await;
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = served => {}
            () = reported => {}
        }
        for task in following {
            task.stop().await;
        }
        changes.stop().await;
        upkeep.stop().await;
        expiry.stop().await;
        budgets.stop().await;
        for task in sharing {
            task.stop().await;
        }
        recorder.drain().await;
        last_used.stop().await;
        database.close().await;
        admin_database.close().await;
        tracing::info!("stopped");
    }
}

/// The clients towards the plan: the shared one, or those that speak HTTP/2.
fn plan_clients(shared: &reqwest::Client, config: &Config) -> anyhow::Result<Vec<reqwest::Client>> {
    let clients = (0..config.plan.http2_connections).map(|_| http2_client(&config.timeouts));
    let clients: Vec<_> = clients.collect::<Result<_, _>>().context("the HTTP/2 clients cannot be made")?;
    Ok(if clients.is_empty() { vec![shared.clone()] } else { clients })
}

/// Says at the start what an operator would otherwise learn from the first request.
async fn report_state(database: &Database) {
    match database.state().await {
        DatabaseState::Ready => {}
        DatabaseState::NotMigrated => tracing::error!("the database lacks migrations; run: claude-code-proxy migrate"),
        DatabaseState::Away => {
            let error = database.reach().await.err().map(|error| error.to_string());
            tracing::warn!(error, "the database does not answer; access keys cannot be checked until it does");
        }
    }
}

//! Claude Code Proxy: a gateway between Claude Code and its models.
//!
//! A request goes to the *plan* (api.anthropic.com, with the developer's own login). When the plan is limited,
//! overloaded or away, the same request goes to Amazon Bedrock with the Bedrock key of the developer's access key.
//!
//! # The life of a request
//! [`ingress`] takes it apart → [`auth`] finds the holder of the access key → [`route`] says who may serve it →
//! [`upstream`] asks the plan, and Bedrock if need be → [`relay`] binds the answer to [`meter`], which sees the body
//! pass, is told once how it ended, and has [`store`] write it down. [`relay`] is that life on one page.
//!
//! # Layers
//! A module imports only what stands below it, and its own children:
//! `cli` · `app, openapi` · `ingress` · `admin` · `relay` · `changes` · `models, sharing` · `auth, keyring, route, upstream, meter` · `store, vault` ·
//! `telemetry` · `aws` · `config, wire` · `domain`. `domain` imports nothing of ours. Neither `wire` nor the decisions of `route`
//! do any IO; `route` also remembers what they rest on.

pub mod admin;
pub mod app;
pub mod auth;
pub mod aws;
pub mod changes;
pub mod cli;
pub mod config;
pub mod domain;
pub mod ingress;
pub mod keyring;
pub mod meter;
pub mod models;
pub mod openapi;
pub mod relay;
pub mod route;
pub mod sharing;
pub mod store;
pub mod telemetry;
pub mod upstream;
pub mod vault;
pub mod wire;

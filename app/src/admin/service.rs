//! The operations of the admin API as one OpenAPI service, which serves them and describes them.

use poem_openapi::{OpenApiService, Tags};

use super::access_keys::AccessKeysPart;
use super::audit::AuditPart;
use super::bedrock_keys::BedrockKeysPart;
use super::budgets::BudgetsPart;
use super::capabilities::CapabilitiesPart;
use super::circuits::CircuitsPart;
use super::lifecycle::LifecyclePart;
use super::login::LoginPart;
use super::models::ModelsPart;
use super::prices::PricesPart;
use super::requests::RequestsPart;
use super::usage::{USAGE_PARTS, UsageParts};
use super::users::UsersPart;

/// Groups of operations.
#[derive(Tags)]
pub(super) enum Tag {
    /// Logging in and out.
    Login,
    /// Developers: what they may, and what they may cost.
    Users,
    /// Access keys: what developers put into Claude Code.
    #[oai(rename = "Access keys")]
    AccessKeys,
    /// Bedrock keys: with which Bedrock serves an access key.
    #[oai(rename = "Bedrock keys")]
    BedrockKeys,
    /// Which model of Bedrock serves which, and what models cost.
    Models,
    /// What was asked, by whom, and what it cost.
    Usage,
    /// One request, explained.
    Requests,
    /// What the proxy has found out about the plan and about Bedrock.
    State,
    /// Who has done what.
    Audit,
}

/// The operations of the admin API.
pub type AdminApi = (
    LoginPart,
    UsersPart,
    LifecyclePart,
    AccessKeysPart,
    BedrockKeysPart,
    BudgetsPart,
    ModelsPart,
    PricesPart,
    UsageParts,
    RequestsPart,
    CircuitsPart,
    CapabilitiesPart,
    AuditPart,
);

/// The service behind them.
pub fn admin_service() -> OpenApiService<AdminApi, ()> {
    let parts = (
        LoginPart,
        UsersPart,
        LifecyclePart,
        AccessKeysPart,
        BedrockKeysPart,
        BudgetsPart,
        ModelsPart,
        PricesPart,
        USAGE_PARTS,
        RequestsPart,
        CircuitsPart,
        CapabilitiesPart,
        AuditPart,
    );
    OpenApiService::new(parts, "Claude Code Proxy: admin API", env!("CARGO_PKG_VERSION"))
        .description(
            "Users, access keys, Bedrock keys, budgets, usage and cost. Log in at `POST /admin/auth/login` with name and \
             password, and send the token that it gives with every other request.\n\n\
             Ids are UUIDs, times RFC 3339, amounts of money decimal strings in US dollars. Lists come in pages: give `next` \
             as `cursor` to get the next one.",
        )
        .contact(poem_openapi::ContactObject::new().name("Whoever operates this proxy"))
        .license(poem_openapi::LicenseObject::new("MIT OR Apache-2.0"))
        .server(poem_openapi::ServerObject::new("/").description("The proxy that serves this document"))
}

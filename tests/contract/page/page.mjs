// Does in the documentation's page all that an administrator can do there, every operation at least once.

import { chromium } from "playwright-core";

const { BASE_URL, ADMIN_NAME, ADMIN_PASSWORD, BEDROCK_KEY, MESSAGE, CHROMIUM_BIN, SCREENSHOTS } = process.env;
const PATIENCE = 20_000;

// Without its sandbox, which root may not have in a container; the page is our own.
const browser = await chromium.launch({ executablePath: CHROMIUM_BIN, args: ["--no-sandbox"] });
try {
  const context = await browser.newContext({ viewport: { width: 1200, height: 1000 } });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  const complaints = [];
  const elsewhere = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => {
    if (!request.url().startsWith(BASE_URL) && !request.url().startsWith("data:")) elsewhere.push(request.url());
  });

  let shots = 0;
  const shoot = (name) => page.screenshot({ path: `${SCREENSHOTS}/page-${++shots}-${name}.png` });

  /** Statuses of the answers by operation. */
  const statuses = {};

  /** Executes an operation and returns the body that the page shows. */
  async function execute(operationId, { parameters = {}, body, mediaType } = {}) {
    const operation = page.locator(`.opblock[id$="-${operationId}"]`);
    await operation.locator(".opblock-summary-control").first().click();
    for (const [name, value] of Object.entries(parameters)) {
      const row = operation.locator(`tr[data-param-name="${name}"]`);
      const choice = row.locator("select");
      if (await choice.count()) await choice.selectOption(value);
      else await row.locator("input").fill(value);
    }
    if (body !== undefined) await operation.locator("textarea.body-param__text").fill(JSON.stringify(body));
    if (mediaType) await operation.locator(".response-control-media-type select").first().selectOption(mediaType);
    await operation.locator("button.execute").click();
    const live = operation.locator("table.live-responses-table");
    const status = await live.locator(".response-col_status").last().innerText();
    statuses[operationId] = Number.parseInt(status, 10);
    await live.scrollIntoViewIfNeeded();
    await shoot(operationId);
    // An answer without a body has its headers only.
    const text = statuses[operationId] === 204 ? "" : await live.locator("pre").first().innerText();
    await operation.locator(".opblock-summary-control").first().click();
    return mediaType || !text ? text : JSON.parse(text);
  }

  await page.goto(`${BASE_URL}/admin/docs`);
  await page.locator("button.authorize").first().click();
  await page.locator("#auth_username, input[name=username]").first().fill(ADMIN_NAME);
  await page.locator("#auth_password, input[name=password]").first().fill(ADMIN_PASSWORD);
  const dialog = page.locator(".auth-container", { has: page.locator("input[name=password]") });
  await dialog.locator("button.authorize").click();
  await shoot("authorize");
  await page.locator("button.btn-done").first().click();

  await execute("create_session");

  const { id: user_id } = await execute("create_user", { body: { name: "Grace", monthly_budget_usd: "25" } });
  const user = { parameters: { user_id } };
  await execute("list_users", { parameters: { search: "Gra" } });
  await execute("get_user", user);
  await execute("update_user", { ...user, body: { description: "Compilers" } });

  const issued = await execute("create_access_key", { ...user, body: { label: "laptop" } });
  const key = { parameters: { access_key_id: issued.access_key.id } };
  await execute("list_access_keys", user);
  await execute("get_access_key", key);
  await execute("update_access_key", { ...key, body: { label: "old laptop" } });
  await execute("put_bedrock_key", { ...key, body: { key: BEDROCK_KEY } });
  await execute("get_bedrock_key", key);

  const headers = { "content-type": "application/json", "anthropic-version": "2023-06-01" };
  const asked = { method: "POST", headers, body: MESSAGE };
  const served = await fetch(`${BASE_URL}/ak/${issued.key}/v1/messages?beta=true`, asked);
  const request_id = served.headers.get("x-ccp-request-id");
  await served.text();

  await execute("get_user_budget", user);
  const usage = await execute("get_usage", { parameters: { user_id, group_by: "provider" } });
  const csv = await execute("list_usage_requests", { ...user, mediaType: "text/csv" });
  await execute("list_top_users");
  await execute("get_usage_costs");
  await execute("get_request", { parameters: { request_id } });
  await execute("list_circuits");
  await execute("reset_circuit", { parameters: { circuit_id: "plan" } });
  const capabilities = await execute("list_capabilities");
  await execute("delete_capability", { parameters: { capability_id: capabilities.items[0].id } });

  const model = { parameters: { model: "claude-opus-9" } };
  const serves = { display_name: "Claude Opus 9", bedrock_model: "anthropic.claude-opus-9" };
  await execute("create_model", { body: { model: "claude-opus-9", ...serves } });
  await execute("list_models");
  await execute("update_model", { ...model, body: serves });
  await execute("delete_model", model);
  await execute("create_price", {
    body: {
      model: "claude-opus-9",
      effective_from: new Date(Date.now() + 3_600_000).toISOString(),
      input_price_usd: "5",
      output_price_usd: "25",
      cache_read_price_usd: "0.5",
      cache_write_5m_price_usd: "6.25",
      cache_write_1h_price_usd: "10",
      source: "a contract",
    },
  });
  await execute("list_prices");

  await execute("rotate_access_key", { ...key, body: { grace_seconds: 60 } });
  await execute("delete_bedrock_key", key);
  await execute("revoke_access_key", key);
  await execute("deactivate_user", user);
  await execute("reactivate_user", user);
  await execute("delete_user", user);
  await execute("list_audit");
  await execute("delete_session");
  console.log(
    JSON.stringify({
      statuses,
      served: served.status,
      usage: usage.totals,
      csv: csv.trim().split("\n").length,
      with_slash: (await page.goto(`${BASE_URL}/admin/docs/`)).status(),
      elsewhere,
      complaints,
    }),
  );
} finally {
  await browser.close();
}

// Does in the documentation's page what an administrator does there: logs in, makes a user, issues a key, reads usage.

import { chromium } from "playwright-core";

const { BASE_URL, ADMIN_NAME, ADMIN_PASSWORD, CHROMIUM_BIN, SCREENSHOTS } = process.env;
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

  /** Executes an operation and returns the status and the JSON that the page shows. */
  async function execute(operationId, { path = {}, body } = {}) {
    const operation = page.locator(`.opblock[id$="-${operationId}"]`);
    await operation.locator(".opblock-summary-control").first().click();
    for (const [name, value] of Object.entries(path)) {
      await operation.locator(`tr[data-param-name="${name}"] input`).fill(value);
    }
    if (body !== undefined) await operation.locator("textarea.body-param__text").fill(JSON.stringify(body));
    await operation.locator("button.execute").click();
    const live = operation.locator("table.live-responses-table");
    const status = await live.locator(".response-col_status").last().innerText();
    const text = await live.locator("pre").first().innerText();
    await live.scrollIntoViewIfNeeded();
    await shoot(operationId);
    await operation.locator(".opblock-summary-control").first().click();
    return { status: Number.parseInt(status, 10), json: JSON.parse(text) };
  }

  await page.goto(`${BASE_URL}/admin/docs`);
  await page.locator("button.authorize").first().click();
  await page.locator("#auth_username, input[name=username]").first().fill(ADMIN_NAME);
  await page.locator("#auth_password, input[name=password]").first().fill(ADMIN_PASSWORD);
  const dialog = page.locator(".auth-container", { has: page.locator("input[name=password]") });
  await dialog.locator("button.authorize").click();
  await shoot("authorize");
  await page.locator("button.btn-done").first().click();

  const login = await execute("create_session");
  const user = await execute("create_user", { body: { name: "Grace", monthly_budget_usd: "25" } });
  const key = await execute("create_access_key", { path: { user_id: user.json.id }, body: { label: "laptop" } });
  const usage = await execute("get_usage", { path: { user_id: user.json.id } });
  console.log(
    JSON.stringify({
      statuses: [login, user, key, usage].map((answer) => answer.status),
      user_id: user.json.id,
      key: key.json.key?.slice(0, 3),
      with_slash: (await page.goto(`${BASE_URL}/admin/docs/`)).status(),
      elsewhere,
      complaints,
    }),
  );
} finally {
  await browser.close();
}
